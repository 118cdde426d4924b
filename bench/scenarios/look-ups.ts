import { measure, perSecond } from '../runner/measure.ts';
import { inRounds } from '../runner/rounds.ts';
import type { Scenario } from '../testbed.ts';
import { entrants, plenty } from './contestants.ts';

const callers = 64;

export const scenario: Scenario = {
  name: 'look-ups',
  title: 'Look-ups',
  what: `${callers} callers look orders up by their id and email. Orders shown per second.`,
  async run(testbed) {
    const kinds = testbed.isQuick ? ['actor-sqlite'] : ['actor-mongodb', 'actor-sqlite'];
    const sides = entrants(kinds, [{ id: 1, quota: plenty }]);
    const contestants = await inRounds(testbed, sides, async (deployment, _entrant, round) => {
      const { origins } = deployment;
      const { seconds, warmUpSeconds } = testbed;
      const request = { kind: 'look-up', packages: [1] } as const;
      // Buys the orders that are looked up.
      await testbed.closedLoop({ origins, request, callers, seconds: 0.1, warmUpSeconds: 0 });
      let lookedUp = 0;
      let latencies = {};
      const run = await measure(testbed, deployment, { round, parameters: { callers } }, async () => {
        const result = await testbed.closedLoop({ origins, request, callers, seconds, warmUpSeconds });
        lookedUp = perSecond(result, '200');
        latencies = { answer: result.latencies.answer };
        return result;
      });
      return [{ ...run, figures: { lookedUp }, latencies }];
    });
    return { contestants };
  },
};
