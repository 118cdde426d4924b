import { inRounds } from '../runner/rounds.ts';
import type { Scenario } from '../testbed.ts';
import { ceilings } from './ceilings.ts';
import { entrants, plenty } from './contestants.ts';

const request = { kind: 'buy', packages: [1] } as const;

export const scenario: Scenario = {
  name: 'restate',
  title: 'Restate, the peer from outside',
  what:
    'One package with a large quota, sold by this product and by a Restate virtual object per package with the same saga ' +
    'inside. Purchases finished per second with 64 and with 512 callers, each at its better one. Fetches 216 MB the first time.',
  isFullOnly: true,
  async run(testbed) {
    const contestants = await inRounds(
      testbed,
      entrants(['actor-mongodb', 'restate'], [{ id: 1, quota: plenty }]),
      (deployment, _entrant, round) => ceilings(testbed, deployment, round, { request }),
    );
    return { contestants };
  },
};
