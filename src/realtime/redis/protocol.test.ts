import { expect, test } from 'vitest';
import { fakeOrder } from '../../../test/support/fake-engine.ts';
import { decodeChanges, encodeChanges } from './protocol.ts';

test('Q12 a change that cannot be read does not hide the others of its message', () => {
  const [first, last] = [fakeOrder({ id: 'first' }), fakeOrder({ id: 'last' })];
  const malformed = { ...fakeOrder(), number: 'seven' } as never;
  const text = encodeChanges('a', [{ order: first }, { order: malformed }, { order: last }]);
  const problems: unknown[] = [];
  const changes = decodeChanges(text, (problem) => problems.push(problem));
  expect(changes).toEqual([{ order: first }, { order: last }]);
  expect(problems).toHaveLength(1);
});
