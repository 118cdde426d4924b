import { expect, test } from 'vitest';
import { progressText } from './audit.ts';

test('the progress of an audit names what was read of how much', () => {
  const read = { packages: 1, packagesTotal: 3, orders: 2_000, ordersTotal: 1_000_000, reservations: 0 };
  expect(progressText(read)).toBe('1 of 3 packages, 2000 of 1000000 orders, 0 reservations read');
});
