import { expect, test } from 'vitest';
import { DecideFixture } from '../../../test/support/decide-fixture.ts';
import { expire } from './patience.ts';

test.each([
  ['store', 'store_unavailable'],
  ['owner', 'no_owner'],
] as const)('callers past their deadline are told of the %s, and nobody else', (cause, code) => {
  const bench = new DecideFixture();
  const late = bench.purchase({ deadlineAt: 999 });
  const others = [bench.purchase({ deadlineAt: 1_000 }), bench.refused('order-9')];
  expect(expire([late, ...others], 1_000, cause)).toEqual(others);
  expect(bench.answers).toEqual([{ kind: 'refused', code }]);
});

test.each([
  [
    'without a key it leaves the line, for nobody knows its id',
    undefined,
    [{ kind: 'withdraw', orderId: 'order-1' }],
  ],
  ['with a key its place is kept for the retry', 'k', []],
])('Q4 an order that may be stored and whose caller was told otherwise: %s', (_, key, rest) => {
  const bench = new DecideFixture();
  const inDoubt = {
    ...bench.purchase({ deadlineAt: 999, ...(key === undefined ? {} : { key }) }),
    inDoubt: true,
  };
  expect(expire([inDoubt], 1_000, 'owner')).toEqual(rest);
});
