import { setTimeout as pause } from 'node:timers/promises';
import { defined } from '../../src/lib/defined.ts';
import type { Contestant } from '../results.ts';
import { costOf, type UnauditedRun, useOf } from '../runner/measure.ts';
import { choosePlacement } from '../runner/placement.ts';
import { inRounds } from '../runner/rounds.ts';
import type { Deployment, Scenario, Testbed } from '../testbed.ts';
import { entrants, plenty } from './contestants.ts';
import { sendCrowd } from './flash-crowd.ts';

/** The package on sale, and one for the warm-up. */
const flash = 1;
const warmUp = 2;
const quota = 5;
const timeoutMs = 30_000;
const buyersOf = { full: 10_000, quick: 2_000 };
/** Without failing flights, and with half of them failing: then units return to the queue. */
const failureRates = { full: [0, 0.5], quick: [0.5] };
const kindsOf = {
  full: ['actor-sqlite', 'actor-mongodb', 'lock', 'queue', 'atomic'],
  quick: ['actor-sqlite'],
};
const roundsMax = 3;

export const scenario: Scenario = {
  name: 'flash-sale',
  title: 'Flash sale',
  what:
    '10,000 buyers with a connection each buy from a quota of 5 at the same instant: the time until the last answer, and ' +
    'the share of refusals within 100 ms.',
  async run(testbed) {
    const pace = testbed.isQuick ? 'quick' : 'full';
    const packages = [
      { id: flash, quota },
      { id: warmUp, quota: plenty },
    ];
    let contestants: Contestant[] = [];
    for (const failureRate of failureRates[pace]) {
      const settings = { FLIGHT_FAILURE_RATE: String(failureRate) };
      const all = entrants(kindsOf[pace], packages).filter(
        ({ name }) => failureRate === 0 || name !== 'atomic',
      );
      const more = await inRounds(
        { ...testbed, rounds: Math.min(testbed.rounds, roundsMax) },
        all.map((entrant) => ({ ...entrant, subject: { kind: entrant.name, packages, settings } })),
        (deployment, _entrant, round) =>
          sale(testbed, deployment, { round, parameters: { buyers: buyersOf[pace], failureRate } }),
      );
      contestants = merged(contestants, more);
    }
    const notes = [
      'All latencies count from the first byte sent. The share of refusals within 100 ms is therefore limited by the rate at which ' +
        'the machine can receive requests; “until all are sent” is the time that the client took to hand them over.',
      'The CPU per purchase includes the opening of its connection.',
      'Buyers without an answer and unsold units count as lost. An order served out of turn (rule Q5) makes the run void.',
      ...(testbed.isQuick ? [`Quick: ${buyersOf.quick} buyers.`] : []),
    ];
    return { contestants, notes };
  },
};

async function sale(
  testbed: Testbed,
  deployment: Deployment,
  {
    round,
    parameters,
  }: Pick<UnauditedRun, 'round'> & { parameters: { buyers: number; failureRate: number } },
): Promise<UnauditedRun[]> {
  const { origins } = deployment;
  const [origin] = origins as [string];
  const request = { kind: 'buy', packages: [warmUp] } as const;
  await testbed.closedLoop({
    origins,
    request,
    callers: 64,
    seconds: testbed.warmUpSeconds,
    warmUpSeconds: 0,
  });
  testbed.progress(`${parameters.buyers} buyers at once`);
  const { clientUnder } = await choosePlacement();
  const params = { origin, packageId: flash, buyers: parameters.buyers, timeoutMs };
  const startedAt = performance.now();
  const {
    result: crowd,
    server,
    databases,
    profile,
  } = await useOf(testbed, deployment, () => sendCrowd(params, clientUnder));
  const seconds = (performance.now() - startedAt) / 1000;
  const { load, allAnsweredMs, allSentMs, refused, promptlyRefused } = crowd;
  const unsold = await unsoldUnits(origin, load.answers['201'] ?? 0);
  return [
    {
      round,
      parameters,
      figures: {
        allAnsweredMs,
        allSentMs,
        ...(refused === 0 ? {} : { refusalsUnder100msShare: promptlyRefused / refused }),
        lost: crowd.lost + unsold,
        confirmed: quota - unsold,
        ...costOf(server + databases, parameters.buyers / seconds),
      },
      latencies: { outcome: load.latencies.outcome, refusal: load.latencies.refusal },
      answers: load.answers,
      dropped: crowd.lost,
      errors: load.errors,
      cpu: { client: load.clientCpu, server, databases },
      ...defined({ profile }),
    },
  ];
}

/** Waits until no order of the package is waiting or being booked. */
async function unsoldUnits(origin: string, answered201: number): Promise<number> {
  for (let attempt = 0; ; attempt++) {
    const response = await fetch(`${origin}/api/packages/${flash}`);
    // A baseline without `GET /api/packages` has sold one unit for each 201.
    if (response.status !== 200) return quota - answered201;
    const { held = 0, waiting = 0, confirmed } = (await response.json()) as Readonly<Record<string, number>>;
    if (held + waiting === 0 || attempt === 300) return quota - (confirmed ?? quota);
    await pause(100);
  }
}

/** Joins the runs of the same contestants. */
function merged(before: readonly Contestant[], more: readonly Contestant[]): Contestant[] {
  const left = before.filter(({ name }) => !more.some((other) => other.name === name));
  const both = more.map((contestant) => {
    const same = before.find(({ name }) => name === contestant.name);
    return { ...contestant, runs: [...(same?.runs ?? []), ...contestant.runs] };
  });
  return [...both, ...left];
}
