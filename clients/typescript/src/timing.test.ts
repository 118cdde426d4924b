import { afterEach, expect, it, vi } from 'vitest';
import { systemClock } from './timing.ts';

afterEach(() => {
  vi.useRealTimers();
});

it('sleeps through any time, until its signal aborts', async () => {
  vi.useFakeTimers();
  const stop = new AbortController();
  const woken = vi.fn();
  const sleep = systemClock.sleep(Number.POSITIVE_INFINITY, stop.signal).then(woken);
  await vi.advanceTimersByTimeAsync(86_400_000);
  expect(woken).not.toHaveBeenCalled();
  stop.abort();
  await sleep;
  expect(vi.getTimerCount()).toBe(0);
});
