import { measure } from '../runner/measure.ts';
import { inRounds } from '../runner/rounds.ts';
import type { Scenario } from '../testbed.ts';
import { entrants, plenty } from './contestants.ts';

const count = 1_000;
const zipf = 1;
const callers = 512;
const packages = Array.from({ length: count }, (_, index) => index + 1);
const kinds = ['actor-mongodb', 'actor-sqlite', 'lock', 'queue', 'atomic'];
const quickKinds = ['actor-mongodb', 'actor-sqlite', 'atomic'];

export const scenario: Scenario = {
  name: 'many-packages',
  title: 'Many packages',
  what:
    `${count} packages, bought by ${callers} callers with a Zipf distribution of exponent ${zipf}: the first gets an ` +
    'eighth of all purchases, the last hundred nearly none. Purchases finished per second.',
  async run(testbed) {
    const sides = entrants(
      testbed.isQuick ? quickKinds : kinds,
      packages.map((id) => ({ id, quota: plenty })),
    );
    const contestants = await inRounds(testbed, sides, async (deployment, _entrant, round) => {
      const { origins } = deployment;
      const { seconds, warmUpSeconds } = testbed;
      const request = { kind: 'buy', packages, zipf } as const;
      const load = { origins, request, callers, seconds, warmUpSeconds };
      const parameters = { callers };
      return [await measure(testbed, deployment, { round, parameters }, () => testbed.closedLoop(load))];
    });
    return { contestants };
  },
};
