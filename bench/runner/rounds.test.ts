import { expect, it } from 'vitest';
import type { Deployment, SystemUnderTest, Testbed } from '../testbed.ts';
import type { UnauditedRun } from './measure.ts';
import { inRounds } from './rounds.ts';

const run = (round: number): UnauditedRun => ({
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
  subject: { kind: name, packages: [] } satisfies SystemUnderTest,
});

/** A testbed that records starts, audits and stops. */
function fakeTestbed(rounds: number, verdict: 'clean' | 'void' = 'clean', wanted?: string) {
  const log: string[] = [];
  const testbed = {
    rounds,
    wants: (name: string) => wanted === undefined || name === wanted,
    progress() {},
    async start({ kind }: SystemUnderTest): Promise<Deployment> {
      log.push(`start ${kind}`);
      return {
        origins: [],
        pids: [],
        databasePids: [],
        audit: async () => {
          log.push(`audit ${kind}`);
          return { verdict, detail: '' };
        },
        stop: async () => void log.push(`stop ${kind}`),
      };
    },
  } as unknown as Testbed;
  return { testbed, log };
}

it('gives each entrant one turn per round, in another order each time', async () => {
  const { testbed, log } = fakeTestbed(2);
  const contestants = await inRounds(testbed, [entrant('a'), entrant('b')], async (_, { name }, round) => {
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
  const { testbed } = fakeTestbed(1, 'void');
  const [contestant] = await inRounds(testbed, [entrant('a')], async () => [run(1), run(1)]);
  expect(contestant?.runs.map(({ audit }) => audit.verdict)).toEqual(['void', 'void']);
});

it('stops a server whose turn failed, and continues with the others', async () => {
  const { testbed, log } = fakeTestbed(1);
  const [broken, sound] = await inRounds(testbed, [entrant('a'), entrant('b')], async (_, { name }) => {
    if (name === 'a') throw new Error('it broke');
    return [run(1)];
  });
  expect(broken?.runs[0]?.audit).toEqual({ verdict: 'void', detail: 'it failed: it broke' });
  expect(sound?.runs[0]?.audit.verdict).toBe('clean');
  expect(log).toContain('stop a');
});

it('leaves out contestants that --only excludes', async () => {
  const { testbed, log } = fakeTestbed(1, 'clean', 'b');
  const contestants = await inRounds(testbed, [entrant('a'), entrant('b')], async () => [run(1)]);
  expect(contestants.map(({ name }) => name)).toEqual(['b']);
  expect(log).not.toContain('start a');
});
