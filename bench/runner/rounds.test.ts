import { expect, it } from 'vitest';
import type { Deployment, Stage, Subject } from '../stage.ts';
import type { Unaudited } from './measure.ts';
import { inRounds } from './rounds.ts';

const run = (round: number): Unaudited => ({
  round,
  parameters: {},
  figures: {},
  latencies: {},
  answers: {},
  dropped: 0,
  errors: 0,
  cpu: {},
});
const entrant = (name: string) => ({
  name,
  title: name,
  isOurs: false,
  subject: { kind: name, packages: [] } satisfies Subject,
});

/** A testbed that records starts, audits and stops. */
function fakeStage(rounds: number, verdict: 'clean' | 'void' = 'clean', wanted?: string) {
  const log: string[] = [];
  const stage = {
    rounds,
    wants: (name: string) => wanted === undefined || name === wanted,
    progress() {},
    async start({ kind }: Subject): Promise<Deployment> {
      log.push(`start ${kind}`);
      return {
        origins: [],
        pids: [],
        audit: async () => {
          log.push(`audit ${kind}`);
          return { verdict, detail: '' };
        },
        stop: async () => void log.push(`stop ${kind}`),
      };
    },
  } as unknown as Stage;
  return { stage, log };
}

it('gives each entrant one turn per round, in another order each time', async () => {
  const { stage, log } = fakeStage(2);
  const contestants = await inRounds(stage, [entrant('a'), entrant('b')], async (_, { name }, round) => {
    log.push(`measure ${name}`);
    return [run(round)];
  });
  const turn = (name: string) => ['start', 'measure', 'audit', 'stop'].map((what) => `${what} ${name}`);
  expect(log).toEqual(['a', 'b', 'b', 'a'].flatMap(turn));
  expect(contestants.map(({ runs }) => runs.map(({ round }) => round))).toEqual([
    [1, 2],
    [1, 2],
  ]);
});

it('marks all runs of a turn as void when its audit fails', async () => {
  const { stage } = fakeStage(1, 'void');
  const [contestant] = await inRounds(stage, [entrant('a')], async () => [run(1), run(1)]);
  expect(contestant?.runs.map(({ audit }) => audit.verdict)).toEqual(['void', 'void']);
});

it('stops a server whose turn failed, and continues with the others', async () => {
  const { stage, log } = fakeStage(1);
  const [broken, sound] = await inRounds(stage, [entrant('a'), entrant('b')], async (_, { name }) => {
    if (name === 'a') throw new Error('it broke');
    return [run(1)];
  });
  expect(broken?.runs[0]?.audit).toEqual({ verdict: 'void', detail: 'it failed: it broke' });
  expect(sound?.runs[0]?.audit.verdict).toBe('clean');
  expect(log).toContain('stop a');
});

it('leaves out contestants that --only excludes', async () => {
  const { stage, log } = fakeStage(1, 'clean', 'b');
  const contestants = await inRounds(stage, [entrant('a'), entrant('b')], async () => [run(1)]);
  expect(contestants.map(({ name }) => name)).toEqual(['b']);
  expect(log).not.toContain('start a');
});
