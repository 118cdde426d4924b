import { describe, expect, test } from 'vitest';
import { TimedOut, withTimeLimit } from './time-limit.ts';

const longMs = 60_000;
const never = new AbortController().signal;

describe('a time limit', () => {
  test('passes on what the work gives, and aborts nothing then', async () => {
    const seen: AbortSignal[] = [];
    const work = async (signal: AbortSignal) => {
      seen.push(signal);
      return 7;
    };
    expect(await withTimeLimit(longMs, never, work)).toBe(7);
    expect(seen[0]?.aborted).toBe(false);
  });

  test('passes on what the work throws', async () => {
    const broken = async () => {
      throw new RangeError('broken');
    };
    await expect(withTimeLimit(longMs, never, broken)).rejects.toThrow(RangeError);
  });

  test('ends work that takes too long, and tells it so', async () => {
    let heard: unknown;
    const work = (signal: AbortSignal) =>
      new Promise<never>(() => signal.addEventListener('abort', () => (heard = signal.reason)));
    await expect(withTimeLimit(5, never, work)).rejects.toThrow(TimedOut);
    expect(heard).toBeInstanceOf(TimedOut);
  });

  test('ends with the stop, with its reason, also when the stop came before', async () => {
    const stop = new AbortController();
    const ends = withTimeLimit(longMs, stop.signal, () => new Promise<never>(() => {}));
    stop.abort(new Error('drained'));
    await expect(ends).rejects.toThrow('drained');
    const again = withTimeLimit(longMs, stop.signal, () => Promise.reject(new Error('was started')));
    await expect(again).rejects.toThrow('drained');
  });

  test('lets go of the stop once it has ended', async () => {
    const stop = new AbortController();
    let aborted = false;
    await withTimeLimit(longMs, stop.signal, async (signal) => {
      signal.addEventListener('abort', () => (aborted = true));
    });
    stop.abort('later');
    expect(aborted).toBe(false);
  });
});
