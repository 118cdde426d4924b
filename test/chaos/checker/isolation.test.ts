import { expect, it } from 'vitest';
import type { FaultEntry } from '../history.ts';
import { bought, confirmed, order, stateOf, violations } from './fixture.ts';

const hangs: FaultEntry = {
  kind: 'fault',
  at: 10_000,
  until: 20_000,
  fault: 'package hangs',
  target: 'package-9',
};
const times = Array.from({ length: 40 }, (_, index) => 10_100 + index * 200);
const prompt = times.map((at, index) => confirmed(index + 1, at));
/** The first `late` orders of package 1 wait until the fault is healed. */
const some = (late: number) =>
  times.map((at, index) =>
    index >= late
      ? confirmed(index + 1, at)
      : order(index + 1, [
          ['claimed', at],
          ['confirmed', 20_100],
        ]),
  );

async function words(
  orders: typeof prompt,
  faults: readonly FaultEntry[],
  quota = 100,
  version = 1,
): Promise<string[]> {
  const found = await violations([...bought(orders), ...faults], stateOf(quota, orders, { version }));
  return found.filter(({ rule }) => rule === 'Q12').map((each) => each.words);
}

it('Q12 the orders of other packages are in time while the suppliers fail for one', async () => {
  expect(await words(prompt, [hangs])).toEqual([]);
  expect(await words(some(8), [hangs])).toEqual([]);
});

it('Q12 finds that one package delays the others, at their suppliers or in their queues', async () => {
  expect(await words(some(20), [hangs])).toEqual([
    "'package hangs' of package-9 delayed the others: from 10000 to 20000 only 20 of 40 orders were in time",
  ]);
  const queued = times.map((at, index) =>
    order(index + 1, [
      ['queued', at],
      ['claimed', 20_050],
      ['confirmed', 20_100],
    ]),
  );
  expect(await words(queued, [hangs])).toEqual([expect.stringMatching(/only 5 of 40 orders were in time$/)]);
});

it('Q12 does not judge the failing package, one whose units were all taken, nor one that was changed', async () => {
  expect(await words(some(20), [{ ...hangs, target: 'package-1' }])).toEqual([]);
  expect(await words(some(20), [hangs], 20)).toEqual([]);
  expect(await words(some(20), [hangs], 100, 2)).toEqual([]);
});

it('Q12 does not judge the time of another fault, and 6 s after it', async () => {
  const kill = { kind: 'fault', at: 8_000, until: 14_500, fault: 'kill', target: 'instance-1' } as const;
  expect(await words(some(40), [hangs, kill])).toEqual([]);
  expect(await words(some(40), [hangs, { ...kill, until: 9_000 }])).toEqual([
    expect.stringMatching(/from 15000 to 20000 only 5 of 15 orders were in time$/),
  ]);
});
