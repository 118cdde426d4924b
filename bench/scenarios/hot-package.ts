import { measure, type UnauditedRun } from '../runner/measure.ts';
import { inRounds } from '../runner/rounds.ts';
import type { Deployment, Scenario, Testbed } from '../testbed.ts';
import { ceilings } from './ceilings.ts';
import { entrants, plenty } from './contestants.ts';

const ours = ['actor-mongodb', 'actor-sqlite'];
const withLimits = ['actor-mongodb-limited', 'actor-sqlite-limited'];
const withWebhooks = ['actor-mongodb-notices', 'actor-sqlite-notices'];
const others = ['lock', 'queue', 'atomic', 'lua', 'floor-mongodb', 'floor-sqlite', 'hello'];
/** These designs handle one purchase at a time. */
const slow = ['lock', 'queue'];
const request = { kind: 'buy', packages: [1] } as const;

export const scenario: Scenario = {
  name: 'hot-package',
  title: 'Hot package',
  what:
    'Callers buy one package with a large quota; each purchase is durable before its answer. Purchases finished per ' +
    'second with 64 and with 512 callers, each design with its better number; then, for ours, latencies from the ' +
    'intended send at half of that ceiling.',
  async run(testbed) {
    const contestants = await inRounds(
      testbed,
      entrants([...ours, ...withLimits, ...withWebhooks, ...others], [{ id: 1, quota: plenty }]),
      async (deployment, { name: contestant }, round) => {
        const isSlow = slow.includes(contestant);
        const runs = await ceilings(testbed, deployment, round, { request, isSlow });
        if (!ours.includes(contestant)) return runs;
        const ceiling = Math.max(...runs.map(({ figures }) => figures.finished ?? 0));
        return [...runs, await atHalfTheCeiling(testbed, deployment, round, ceiling)];
      },
    );
    const quick =
      'Quick: the lock and the queue run with 64 callers only; more callers do not make them faster.';
    const owed =
      'With webhooks on, each purchase stores the webhook that it owes in its commit. A server that is busy with ' +
      'purchases delivers only a few of them; it delivers the others once it is less busy, which no figure here counts.';
    const notes = [
      ...(testbed.isQuick ? [quick] : []),
      ...(withWebhooks.some((name) => testbed.wants(name)) ? [owed] : []),
    ];
    return { contestants, notes };
  },
};

/** Sends purchases at half of the measured ceiling, and measures the latency from the intended send. */
async function atHalfTheCeiling(
  testbed: Testbed,
  deployment: Deployment,
  round: number,
  ceiling: number,
): Promise<UnauditedRun> {
  const { origins } = deployment;
  const { seconds } = testbed;
  const warmUpSeconds = testbed.warmUpSeconds / 3;
  const rate = Math.max(1, Math.round(ceiling / 2));
  const parameters = { load: 'half the ceiling', offered: rate };
  const load = { origins, request, rate, connectionsMax: 2_000, seconds, warmUpSeconds };
  return measure(testbed, deployment, { round, parameters }, () => testbed.openLoop(load));
}
