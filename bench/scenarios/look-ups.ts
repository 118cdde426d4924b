import { measured, perSecond } from '../runner/measure.ts';
import { inRounds } from '../runner/rounds.ts';
import type { Scenario } from '../stage.ts';
import { entrants, plenty } from './contestants.ts';

const callers = 64;

export const scenario: Scenario = {
  name: 'look-ups',
  title: 'Look-ups',
  what: `${callers} callers look orders up by their id and email. Orders shown per second.`,
  async run(stage) {
    const kinds = stage.isQuick ? ['actor-sqlite'] : ['actor-mongodb', 'actor-sqlite'];
    const sides = entrants(kinds, [{ id: 1, quota: plenty }]);
    const contestants = await inRounds(stage, sides, async (deployment, _entrant, round) => {
      const { origins } = deployment;
      const { seconds, warmUpSeconds } = stage;
      const plan = { kind: 'look-up', packages: [1] } as const;
      // Buys the orders that are looked up.
      await stage.closedLoop({ origins, plan, callers, seconds: 0.1, warmUpSeconds: 0 });
      let lookedUp = 0;
      let latencies = {};
      const run = await measured(stage, deployment, { round, parameters: { callers } }, async () => {
        const result = await stage.closedLoop({ origins, plan, callers, seconds, warmUpSeconds });
        lookedUp = perSecond(result, '200');
        latencies = { answer: result.latencies.answer };
        return result;
      });
      return [{ ...run, figures: { lookedUp }, latencies }];
    });
    const { name, title, what } = scenario;
    return { name, title, what, contestants, notes: [] };
  },
};
