import { defined } from '../../src/lib/defined.ts';
import { measure, perSecond, type UnauditedRun } from '../runner/measure.ts';
import { inRounds } from '../runner/rounds.ts';
import type { Deployment, Scenario, Testbed } from '../testbed.ts';
import { entrants } from './contestants.ts';

const quota = 100;
const kinds = ['actor-mongodb', 'actor-sqlite', 'actor-mongodb-limited', 'actor-sqlite-limited', 'hello'];
const callers = 64;
const sellOutSeconds = 0.5;

export const scenario: Scenario = {
  name: 'sold-out',
  title: 'Sold-out storm',
  what:
    `A package of ${quota} is sold out, and ${callers} callers go on asking for it, without and with an ` +
    'Idempotency-Key (which has to be looked up first: its order might exist). Refusals per second.',
  async run(testbed) {
    const contestants = await inRounds(
      testbed,
      entrants(kinds, [{ id: 1, quota }]),
      (deployment, { isOurs }, round) => storms(testbed, deployment, isOurs, round),
    );
    const notes = ['Hello world refuses nothing; the refusals are compared with its answers.'];
    return { contestants, notes };
  },
};

async function storms(
  testbed: Testbed,
  deployment: Deployment,
  isOurs: boolean,
  round: number,
): Promise<UnauditedRun[]> {
  const { origins } = deployment;
  const { seconds } = testbed;
  const request = { kind: 'buy', packages: [1] } as const;
  await testbed.closedLoop({ origins, request, callers, seconds: sellOutSeconds, warmUpSeconds: 0 });
  const runs: UnauditedRun[] = [];
  let { warmUpSeconds } = testbed;
  for (const keys of [false, true]) {
    const parameters = { callers, keys: keys ? 'with' : 'without' };
    const load = { origins, request: { ...request, keys }, callers, seconds, warmUpSeconds };
    let refused = 0;
    const run = await measure(testbed, deployment, { round, parameters }, async () => {
      const result = await testbed.closedLoop(load);
      refused = perSecond(result, '409 sold_out');
      return result;
    });
    const { finished = 0, answered = finished, costPerPurchaseUs } = run.figures;
    const figures = { answered, ...(isOurs && { refused }), ...defined({ costPerPurchaseUs }) };
    runs.push({ ...run, figures });
    // The server is already warm.
    warmUpSeconds = testbed.warmUpSeconds / 3;
  }
  return runs;
}
