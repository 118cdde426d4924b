import type { Contestant } from '../results.ts';
import { inRounds } from '../runner/rounds.ts';
import type { Scenario } from '../testbed.ts';
import { entrants, plenty } from './contestants.ts';
import {
  growOrders,
  growPackages,
  growWaiting,
  type Ranges,
  waitingPackages,
  waitingSettings,
  warmPackage,
} from './growth-steps.ts';

const full: Ranges = {
  orders: [1_000, 10_000, 100_000, 1_000_000],
  packages: [1, 100, 10_000],
  waiting: [0, 10_000, 100_000],
};
const quick: Ranges = { orders: [1_000, 5_000], packages: [1, 1_000], waiting: [0, 3_000] };
/** Filling the store takes minutes. Steps are compared on the same server, so one round is enough. */
const roundsMax = 1;

export const scenario: Scenario = {
  name: 'growth',
  title: 'Growth',
  what:
    'The cost of a purchase with more stored orders, with more packages on sale that are all bought, and with a longer ' +
    'queue. CPU of the server and its database per purchase, and purchases per second.',
  async run(testbed) {
    const ranges = testbed.isQuick ? quick : full;
    const kinds = testbed.isQuick ? ['actor-sqlite'] : ['actor-sqlite', 'actor-mongodb'];
    const few = { ...testbed, rounds: Math.min(testbed.rounds, roundsMax) };
    const one = [1, warmPackage].map((id) => ({ id, quota: plenty }));
    const contestants: Contestant[][] = [
      await inRounds(few, entrants(kinds, one), (deployment, _entrant, round) =>
        growOrders({ testbed, deployment, round }, ranges.orders),
      ),
    ];
    for (const count of ranges.packages) {
      const packages = Array.from({ length: count }, (_, index) => ({ id: index + 1, quota: plenty }));
      contestants.push(
        await inRounds(few, entrants(kinds, packages), (deployment, _entrant, round) =>
          growPackages(
            { testbed, deployment, round },
            packages.map(({ id }) => id),
          ),
        ),
      );
    }
    const held = entrants(kinds, waitingPackages).map((entrant) => ({
      ...entrant,
      subject: {
        kind: entrant.name,
        packages: waitingPackages,
        settings: waitingSettings(testbed.isQuick),
      },
    }));
    contestants.push(
      await inRounds(few, held, (deployment, _entrant, round) =>
        growWaiting({ testbed, deployment, round }, ranges.waiting),
      ),
    );
    return { contestants: together(contestants), notes };
  },
};

const notes = [
  'The cost of a purchase is CPU time of the server and its database. In a growing queue, purchases are those that join it ' +
    '(202); the time until the queue was empty counts from the first sold unit.',
];

function together(parts: readonly (readonly Contestant[])[]): Contestant[] {
  const [first = []] = parts;
  return first.map((contestant) => ({
    ...contestant,
    runs: parts.flatMap((part) => part.find(({ name }) => name === contestant.name)?.runs ?? []),
  }));
}
