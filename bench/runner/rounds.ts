import type { Contestant, Run } from '../results.ts';
import type { Deployment, SystemUnderTest, Testbed } from '../testbed.ts';
import type { UnauditedRun } from './measure.ts';

/** A contestant, and how to start its server. */
export interface Entrant {
  readonly name: string;
  readonly title: string;
  readonly isOurs: boolean;
  readonly subject: SystemUnderTest;
}

/** Measures one entrant's running server; may return several runs. */
type Turn = (deployment: Deployment, entrant: Entrant, round: number) => Promise<readonly UnauditedRun[]>;

/**
 * Runs rounds in which each entrant has one turn, so that changes of the machine's speed affect all of them. Every turn
 * starts a fresh server and ends with its audit, whose verdict applies to all runs of the turn. A failed turn is one
 * void run.
 */
export async function inRounds(
  testbed: Testbed,
  entrants: readonly Entrant[],
  turn: Turn,
): Promise<Contestant[]> {
  const wanted = entrants.filter(({ name }) => testbed.wants(name));
  const runs = new Map<string, Run[]>(wanted.map(({ name }) => [name, []]));
  for (let round = 1; round <= testbed.rounds; round++) {
    // The order changes each round, so that no entrant always runs after the same other one.
    const order = rotated(wanted, (round - 1) >> 1);
    if (round % 2 === 0) order.reverse();
    for (const entrant of order) {
      const say = (what: string) =>
        testbed.progress(`round ${round} of ${testbed.rounds} · ${entrant.name} · ${what}`);
      runs.get(entrant.name)?.push(...(await takeTurn(testbed, entrant, round, turn, say)));
    }
  }
  return wanted.map(({ name, title, isOurs }) => ({ name, title, isOurs, runs: runs.get(name) ?? [] }));
}

async function takeTurn(
  testbed: Testbed,
  entrant: Entrant,
  round: number,
  turn: Turn,
  say: (what: string) => void,
): Promise<Run[]> {
  const { subject } = entrant;
  try {
    say('starting');
    const deployment = await testbed.start(subject);
    try {
      say('measuring');
      const measured = await turn(deployment, entrant, round);
      say('audit');
      const audit = await deployment.audit();
      return measured.map((run) => ({ ...run, audit }));
    } finally {
      say('stopping');
      await deployment.stop();
    }
  } catch (error) {
    // The other turns and rounds are still useful.
    const reason = error instanceof Error ? error.message : String(error);
    say(`failed: ${reason}`);
    return [failedRun(round, reason)];
  }
}

function failedRun(round: number, reason: string): Run {
  const audit = { verdict: 'void', detail: `it failed: ${reason}` } as const;
  const nothing = { parameters: {}, figures: {}, latencies: {}, answers: {}, cpu: {} };
  return { round, ...nothing, dropped: 0, errors: 0, audit };
}

function rotated<T>(all: readonly T[], by: number): T[] {
  const at = all.length === 0 ? 0 : by % all.length;
  return [...all.slice(at), ...all.slice(0, at)];
}
