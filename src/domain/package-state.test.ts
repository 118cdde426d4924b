import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WaitingQueue } from './package-state.ts';

test('Q5 the queue keeps the order of numbers, wherever orders leave from', () => {
  const steps = fc.array(fc.oneof(fc.constant('join' as const), fc.nat(400)), { maxLength: 600 });
  fc.assert(
    fc.property(steps, (all) => {
      const line = new WaitingQueue();
      let model: number[] = [];
      let last = 0;
      for (const step of all) {
        if (step === 'join') {
          last += 1;
          line.add(last, `order-${last}`);
          model.push(last);
        } else {
          line.remove(step);
          model = model.filter((number) => number !== step);
        }
      }
      expect(line.first(Number.POSITIVE_INFINITY)).toEqual(model);
      expect(line.size).toBe(model.length);
      expect(model.map((number) => line.position(number))).toEqual(model.map((_, index) => index + 1));
      expect(line.position(last + 1)).toBeUndefined();
    }),
    { numRuns: 300 },
  );
});

test('a long queue with many gaps has the right positions', () => {
  const line = new WaitingQueue();
  for (let number = 1; number <= 5_000; number++) line.add(number, `order-${number}`);
  for (let number = 2; number <= 5_000; number += 2) line.remove(number);
  for (let number = 1; number <= 1_001; number += 2) line.remove(number);
  expect(line.first(2)).toEqual([1_003, 1_005]);
  expect(line.position(1_005)).toBe(2);
  expect(line.size).toBe(1_999);
  expect([...line].map(({ orderId }) => orderId).slice(0, 1)).toEqual(['order-1003']);
});

test('numbers only grow', () => {
  const line = new WaitingQueue();
  line.add(2, 'order-2');
  expect(() => line.add(2, 'order-2')).toThrow(RangeError);
});
