import type { Contestant, Run } from '../results.ts';
import type { UnauditedRun } from '../runner/measure.ts';
import { measure } from '../runner/measure.ts';
import { type Entrant, inRounds } from '../runner/rounds.ts';
import type { Deployment, RequestTemplate, Scenario, Testbed } from '../testbed.ts';
import { plenty } from './contestants.ts';

const kind = 'actor-mongodb';
/** One instance has this many callers. Several have as many in all, and then as many each. */
export const callersPerInstance = 256;
const sizes = { full: [1, 2, 3], quick: [1, 3] };
/** Instances activate their packages, and connect to each other, by then. */
const warmUpMin = 2;
/** Packages have moved to the instance that gets their purchases by then. A quick bench does not wait for it. */
const hashedWarmUpMin = 15;
const count = 100;
const title = 'ticket-booking on MongoDB';

/**
 * The loads on each deployment, one after the other. Each buys packages of its own, so that no package has an owner from
 * the load before.
 */
const loads = [
  { name: kind, title, request: buy(1, 1) },
  { name: `${kind}-many`, title: `${title}, ${count} packages`, request: buy(2, count) },
  {
    name: `${kind}-hashed`,
    title: `${title}, ${count} packages, hashed by package`,
    request: { ...buy(2 + count, count), spread: 'hashed' },
  },
] as const;

const packages = loads.flatMap(({ request }) => request.packages.map((id) => ({ id, quota: plenty })));

export const scenario: Scenario = {
  name: 'cluster',
  title: 'Cluster',
  what:
    'One, two and three instances on the same MongoDB and Redis. They sell one hot package and a hundred packages, whichever ' +
    'instance a purchase reaches, and a hundred packages whose purchases always reach the same instance, as behind a ' +
    'proxy that hashes by path. A hundred packages are sold to as many callers as one instance has, and to as many for each ' +
    'instance. CPU of all processes per purchase.',
  async run(testbed) {
    const entrants: Entrant[] = sizes[testbed.isQuick ? 'quick' : 'full'].map((instances) => ({
      name: `${kind} × ${instances}`,
      title: kind,
      isOurs: true,
      // Unpinned for all sizes: pinned, several instances would share the one core that a single instance has for
      // itself.
      subject: { kind, instances, packages, placement: 'free' },
    }));
    const wants = () => testbed.wants(kind);
    const sides = await inRounds({ ...testbed, wants }, entrants, (deployment, _entrant, round) =>
      allLoads(testbed, deployment, round),
    );
    return { contestants: loads.map((load) => contestantOf(load, sides)), notes: [placementNote] };
  },
};

const placementNote =
  'Instances, client and databases share all cores. Purchases per second therefore show the machine’s limit; the CPU per ' +
  'purchase shows what an instance on a machine of its own would add.';

function buy(first: number, howMany: number) {
  const ids = Array.from({ length: howMany }, (_, index) => first + index);
  return { kind: 'buy', packages: ids } as const satisfies RequestTemplate;
}

async function allLoads(testbed: Testbed, deployment: Deployment, round: number): Promise<UnauditedRun[]> {
  const { origins } = deployment;
  const { seconds, isQuick } = testbed;
  const instances = origins.length;
  const runs: UnauditedRun[] = [];
  for (const { name, request } of loads) {
    const isFollowed = 'spread' in request && !isQuick;
    let warmUpSeconds = Math.max(testbed.warmUpSeconds, isFollowed ? hashedWarmUpMin : warmUpMin);
    for (const callers of callersOf(request, instances)) {
      testbed.progress(`${name} × ${instances}, ${callers} callers`);
      const parameters = { instances, packages: request.packages.length, callers, load: name };
      runs.push(
        await measure(testbed, deployment, { round, parameters }, () =>
          testbed.closedLoop({ origins, request, callers, seconds, warmUpSeconds }),
        ),
      );
      warmUpSeconds = Math.max(testbed.warmUpSeconds, warmUpMin);
    }
  }
  return runs;
}

/** One package has one owner, which more callers would only keep busier. */
function callersOf({ packages }: RequestTemplate, instances: number): readonly number[] {
  const isSpread = packages.length > 1 && instances > 1;
  return isSpread ? [callersPerInstance, callersPerInstance * instances] : [callersPerInstance];
}

/** Separate contestants, so that figures of one package are never compared with those of many. */
function contestantOf(
  { name, title }: Pick<Contestant, 'name' | 'title'>,
  sides: readonly Contestant[],
): Contestant {
  // A failed turn has no `load`; it is listed as void for each contestant.
  const runs = sides.flatMap((side) =>
    side.runs.filter(({ parameters }) => (parameters.load ?? name) === name),
  );
  return { name, title, isOurs: true, runs: runs.map(withoutLoad) };
}

/** The contestant says it already. */
function withoutLoad(run: Run): Run {
  const { load: _, ...parameters } = run.parameters;
  return { ...run, parameters };
}
