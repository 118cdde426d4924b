import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runsOf } from './number-runs.ts';
import { WaitingQueue } from './package-state.ts';

test('Q5 the queue stays sorted by number when orders leave at any position', () => {
  const steps = fc.array(fc.oneof(fc.constant('join' as const), fc.nat(400)), { maxLength: 600 });
  fc.assert(
    fc.property(steps, (all) => {
      const queue = new WaitingQueue();
      let model: number[] = [];
      let last = 0;
      for (const step of all) {
        if (step === 'join') {
          last += 1 + (last % 7 === 0 ? 1 : 0);
          queue.add(last, `order-${last}`);
          model.push(last);
        } else {
          queue.remove(step);
          model = model.filter((number) => number !== step);
        }
      }
      expect(queue.first(Number.POSITIVE_INFINITY)).toEqual(model);
      expect(queue.runs()).toEqual(runsOf(model));
      expect(queue.size).toBe(model.length);
      expect(model.map((number) => queue.position(number))).toEqual(model.map((_, index) => index + 1));
      expect(queue.position(last + 1)).toBeUndefined();
    }),
    { numRuns: 300 },
  );
});

test('positions are right in a long queue that many orders have left', () => {
  const queue = new WaitingQueue();
  for (let number = 1; number <= 5_000; number++) queue.add(number, `order-${number}`);
  for (let number = 2; number <= 5_000; number += 2) queue.remove(number);
  for (let number = 1; number <= 1_001; number += 2) queue.remove(number);
  expect(queue.first(2)).toEqual([1_003, 1_005]);
  expect(queue.position(1_005)).toBe(2);
  expect(queue.size).toBe(1_999);
  expect([...queue].map(({ orderId }) => orderId).slice(0, 1)).toEqual(['order-1003']);
});

test('the queue refuses a number that is not greater than all earlier numbers', () => {
  const queue = new WaitingQueue();
  queue.add(2, 'order-2');
  expect(() => queue.add(2, 'order-2')).toThrow(RangeError);
});
