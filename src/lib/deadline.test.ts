import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import type { AbortState } from './abort.ts';
import { settlesWithin, TimeoutError, withTimeout } from './deadline.ts';

const never = () => new Promise<never>(() => {});

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('withTimeout', () => {
  test('passes on the result, does not abort the signal and leaves no timer', async () => {
    let given: AbortState | undefined;
    const work = async (signal: AbortState) => {
      given = signal;
      return 7;
    };
    expect(await withTimeout({ ms: 1000 }, work)).toBe(7);
    expect(given?.aborted).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('passes on the error of the work, thrown at once or later', async () => {
    const broken = async () => {
      throw new RangeError('broken');
    };
    await expect(withTimeout({ ms: 1000 }, broken)).rejects.toThrow(RangeError);
    const brokenAtOnce = () => {
      throw new RangeError('broken');
    };
    await expect(withTimeout({ ms: 1000 }, brokenAtOnce)).rejects.toThrow(RangeError);
  });

  test('ends work that takes too long, and aborts its signal with the same error', async () => {
    let heard: unknown;
    const work = (signal: AbortState) => {
      signal.addEventListener('abort', () => (heard = signal.reason));
      return never();
    };
    const outcome = withTimeout({ ms: 1000 }, work).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(999);
    expect(heard).toBe(undefined);
    await vi.advanceTimersByTimeAsync(1);
    expect(await outcome).toBeInstanceOf(TimeoutError);
    expect(heard).toBe(await outcome);
  });

  test('ignores an error of the work after the timeout', async () => {
    const { promise, reject } = Promise.withResolvers<never>();
    const outcome = withTimeout({ ms: 1, late: () => new RangeError('late') }, () => promise).catch(String);
    await vi.advanceTimersByTimeAsync(1);
    reject(new Error('nobody listens'));
    expect(await outcome).toBe('RangeError: late');
  });

  test('ends with the reason of the stop signal, and does not start work after it', async () => {
    const stop = new AbortController();
    const ends = withTimeout({ ms: 1000, stop: stop.signal }, never);
    stop.abort(new Error('drained'));
    await expect(ends).rejects.toThrow('drained');
    const started = vi.fn(never);
    await expect(withTimeout({ ms: 1000, stop: stop.signal }, started)).rejects.toThrow('drained');
    expect(started).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('does not listen to the stop signal after the work has ended', async () => {
    const stop = new AbortController();
    let given: AbortState | undefined;
    await withTimeout({ ms: 1000, stop: stop.signal }, async (signal) => {
      given = signal;
    });
    stop.abort('later');
    expect(given?.aborted).toBe(false);
  });

  test('can measure the time on a given clock', async () => {
    const clock = new ManualClock();
    const outcome = withTimeout({ ms: 1000, clock }, never).catch(String);
    await clock.advance(1000);
    expect(await outcome).toContain('no answer within 1000 ms');
    await withTimeout({ ms: 1000, clock }, async () => {});
    expect(clock.sleepers).toBe(0);
  });
});

describe('settlesWithin', () => {
  test('is true for work that ends in time, also by failing', async () => {
    expect(await settlesWithin(1000, Promise.resolve())).toBe(true);
    expect(await settlesWithin(1000, Promise.reject(new Error('no')))).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is false once the time is up', async () => {
    const clock = new ManualClock();
    const isSettled = settlesWithin(1000, never(), clock);
    await clock.advance(1000);
    expect(await isSettled).toBe(false);
  });
});
