import { expect, test } from 'vitest';
import { UnderWay } from './under-way.ts';

test('a name counts as under way until the last work with this name has ended or failed', async () => {
  const underWay = new UnderWay();
  const [first, second] = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
  const one = underWay.during('a', () => first.promise);
  const other = underWay.during('a', () => second.promise);
  first.resolve(1);
  expect(await one).toBe(1);
  expect(underWay.has('a')).toBe(true);
  expect(underWay.has('b')).toBe(false);
  second.reject(new Error('no'));
  await expect(other).rejects.toThrow('no');
  expect(underWay.has('a')).toBe(false);
});
