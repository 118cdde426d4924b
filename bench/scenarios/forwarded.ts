import { measure, type UnauditedRun } from '../runner/measure.ts';
import { inRounds } from '../runner/rounds.ts';
import type { Deployment, Scenario, Testbed } from '../testbed.ts';
import { entrants, plenty } from './contestants.ts';

const kind = 'actor-mongodb';
const request = { kind: 'buy', packages: [1] } as const;
const callers = 256;
/** The instances know each other, and the package's owner is settled, by then. */
const warmUpMin = 2;
/** An instance that uses less than this share of the other one's CPU has no part in the purchases. */
const idleShare = 0.25;

export const scenario: Scenario = {
  name: 'forwarded',
  title: 'Forwarded purchases',
  what:
    'Two instances sell one package. First all purchases reach its owner, then half of them reach the other instance, which ' +
    'forwards them to the owner. CPU of all processes per purchase.',
  async run(testbed) {
    const sides = entrants([kind], [{ id: 1, quota: plenty }]).map((entrant) => ({
      ...entrant,
      subject: { ...entrant.subject, instances: 2, placement: 'free' as const },
    }));
    const contestants = await inRounds(testbed, sides, (deployment, _entrant, round) =>
      localAndForwarded(testbed, deployment, round),
    );
    const notes = [
      'The cost of a forwarded purchase is computed: of the purchases at both instances, half cost as much as those at the ' +
        'owner alone. (If all purchases reached the other instance, it would become the owner.)',
    ];
    return { contestants, notes };
  },
};

async function localAndForwarded(
  testbed: Testbed,
  deployment: Deployment,
  round: number,
): Promise<UnauditedRun[]> {
  const local = await atTheOwner(testbed, deployment, round);
  const half = await oneLoad(testbed, deployment, deployment.origins, { round, path: 'half forwarded' });
  const [ofLocal, ofHalf] = [local, half].map(({ figures }) => figures.costPerPurchaseUs);
  if (ofLocal === undefined || ofHalf === undefined) return [local, half];
  return [local, { ...half, figures: { ...half.figures, forwardedCostUs: 2 * ofHalf - ofLocal } }];
}

/**
 * Tries one instance after the other: at the owner, the other instance is idle.
 * @throws Error if each instance forwards its purchases.
 */
async function atTheOwner(testbed: Testbed, deployment: Deployment, round: number): Promise<UnauditedRun> {
  const { origins, pids } = deployment;
  for (const [index, origin] of origins.entries()) {
    const [own, others] = [pids.filter((_, at) => at === index), pids.filter((_, at) => at !== index)];
    const { result, cores: ofOwn } = await testbed.cpuOf(own, () =>
      testbed.cpuOf(others, () => oneLoad(testbed, deployment, [origin], { round, path: 'local' })),
    );
    if (result.cores < idleShare * ofOwn) return result.result;
  }
  throw new Error('no instance owns the package: each one forwards its purchases');
}

function oneLoad(
  testbed: Testbed,
  deployment: Deployment,
  origins: readonly string[],
  { round, path }: { readonly round: number; readonly path: string },
): Promise<UnauditedRun> {
  const { seconds } = testbed;
  const warmUpSeconds = Math.max(testbed.warmUpSeconds, warmUpMin);
  return measure(testbed, deployment, { round, parameters: { path } }, () =>
    testbed.closedLoop({ origins, request, callers, seconds, warmUpSeconds }),
  );
}
