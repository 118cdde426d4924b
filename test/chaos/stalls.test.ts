import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FaultEntry } from './history.ts';
import { watchStalls } from './stalls.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('reports when the process did not run for more than a second', () => {
  const stalls: FaultEntry[] = [];
  const end = watchStalls((stall) => stalls.push(stall));
  vi.advanceTimersByTime(5_000);
  expect(stalls).toEqual([]);
  // The clock goes on, and no timer fires.
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 1_500);
  vi.advanceTimersToNextTimer();
  expect(stalls).toMatchObject([{ kind: 'fault', fault: 'stall', target: 'test' }]);
  const [{ at, until = 0 }] = stalls as [FaultEntry];
  expect(until - at).toBeGreaterThan(1_000);
  end();
  expect(vi.getTimerCount()).toBe(0);
});
