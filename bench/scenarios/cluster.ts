import type { Contestant, Run } from '../results.ts';
import type { UnauditedRun } from '../runner/measure.ts';
import { measure } from '../runner/measure.ts';
import { type Entrant, inRounds } from '../runner/rounds.ts';
import type { Deployment, Scenario, Testbed } from '../testbed.ts';
import { plenty } from './contestants.ts';

const kind = 'actor-mongodb';
const callers = 256;
const sizes = { full: [1, 2, 3], quick: [1, 2] };
/** The first package is the hot one; runs with many packages buy all of them. */
const packages = Array.from({ length: 100 }, (_, index) => ({ id: index + 1, quota: plenty }));
const ids = packages.map(({ id }) => id);

export const scenario: Scenario = {
  name: 'cluster',
  title: 'Cluster',
  what:
    'One, two and three instances on the same MongoDB and Redis; purchases go to any of them, whichever owns the ' +
    'package. Purchases finished per second, of one hot package and of a hundred.',
  async run(testbed) {
    const instances = sizes[testbed.isQuick ? 'quick' : 'full'];
    const entrants: Entrant[] = instances.map((count) => ({
      name: `${kind} × ${count}`,
      title: kind,
      isOurs: true,
      // Unpinned for all sizes: pinned, several instances would share the one core that a single instance has for
      // itself.
      subject: { kind, instances: count, packages, placement: 'free' },
    }));
    const wants = () => testbed.wants(kind);
    const sides = await inRounds({ ...testbed, wants }, entrants, (deployment, _entrant, round) =>
      oneAndMany(testbed, deployment, round),
    );
    return {
      contestants: testbed.isQuick ? [ofOne(sides)] : [ofOne(sides), ofMany(sides)],
      notes: [placementNote],
    };
  },
};

const placementNote =
  'Instances, client and databases share all cores: more instances mean more work on the same machine.';

async function oneAndMany(testbed: Testbed, deployment: Deployment, round: number): Promise<UnauditedRun[]> {
  const { origins } = deployment;
  const runs: UnauditedRun[] = [];
  const hot = ids.slice(0, 1);
  for (const bought of testbed.isQuick ? [hot] : [hot, ids]) {
    const parameters = { instances: origins.length, packages: bought.length };
    const request = { kind: 'buy', packages: bought } as const;
    const { seconds, warmUpSeconds } = testbed;
    runs.push(
      await measure(testbed, deployment, { round, parameters }, () =>
        testbed.closedLoop({ origins, request, callers, seconds, warmUpSeconds }),
      ),
    );
  }
  return runs;
}

/** Separate contestants, so that figures of one package are never compared with those of many. */
function ofOne(sides: readonly Contestant[]): Contestant {
  return { name: kind, title: 'ticket-booking on MongoDB', isOurs: true, runs: runsWith(sides, 1) };
}

function ofMany(sides: readonly Contestant[]): Contestant {
  const title = `ticket-booking on MongoDB, ${ids.length} packages`;
  return { name: `${kind}-many`, title, isOurs: true, runs: runsWith(sides, ids.length) };
}

function runsWith(sides: readonly Contestant[], count: number): Run[] {
  // A failed turn has no `packages` parameter; it is listed as void for both contestants.
  const isMeant = ({ parameters }: Run) => (parameters.packages ?? count) === count;
  return sides.flatMap(({ runs }) => runs.filter(isMeant));
}
