import { inRounds } from '../runner/rounds.ts';
import type { Scenario } from '../stage.ts';
import { ceilings } from './ceilings.ts';
import { entrants, plenty } from './contestants.ts';

const plan = { kind: 'buy', packages: [1] } as const;

export const scenario: Scenario = {
  name: 'restate',
  title: 'Restate, the peer from outside',
  what:
    'One package with a large quota, sold by this product and by a Restate virtual object per package with the same saga ' +
    'inside. Purchases finished per second with 64 and with 512 callers, each at its better one. Fetches 216 MB the first time.',
  isFullOnly: true,
  async run(stage) {
    const contestants = await inRounds(
      stage,
      entrants(['actor-mongodb', 'restate'], [{ id: 1, quota: plenty }]),
      (deployment, _entrant, round) => ceilings(stage, deployment, round, { plan }),
    );
    const { name, title, what } = scenario;
    return { name, title, what, contestants, notes: [] };
  },
};
