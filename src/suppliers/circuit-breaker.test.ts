import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock, runUntilIdle } from '../../test/support/manual-clock.ts';
import { type BreakerStep, CircuitBreaker } from './circuit-breaker.ts';
import { FairSlots } from './fair-slots.ts';

const never = new AbortController().signal;
const silence = new Error('no answer');

describe('a circuit breaker', () => {
  let clock: ManualClock;
  let breaker: CircuitBreaker;
  let steps: BreakerStep[];
  let onStep: (step: BreakerStep) => unknown;
  /** Attempts under way, by the name of the call, in the order they began. */
  let attempts: { name: string; answer: PromiseWithResolvers<string> }[];

  beforeEach(() => {
    clock = new ManualClock();
    steps = [];
    onStep = () => {};
    attempts = [];
    const slots = new FairSlots(1_024);
    breaker = new CircuitBreaker({
      clock,
      failuresToOpen: 3,
      reopenAfterMs: 500,
      reopenAfterMaxMs: 5000,
      takeSlot: (_, signal, isUrgent) => slots.take(1, signal, isUrgent),
      onStep: (step) => {
        steps.push(step);
        onStep(step);
      },
    });
  });
  afterEach(() => breaker.dispose());

  /** A call whose attempts the test answers. */
  function call(name: string, signal = never, isUrgent = false): Promise<string> {
    const result = breaker.run(
      () => {
        const answer = Promise.withResolvers<string>();
        attempts.push({ name, answer });
        return answer.promise;
      },
      signal,
      isUrgent,
    );
    result.catch(() => {});
    return result;
  }

  function answer(result?: string): void {
    const attempt = attempts.shift();
    if (result === undefined) attempt?.answer.reject(silence);
    else attempt?.answer.resolve(result);
  }

  async function open(): Promise<void> {
    for (const name of ['x', 'y', 'z']) {
      const failing = call(name);
      answer();
      await expect(failing).rejects.toBe(silence);
    }
    expect(breaker.available).toBe(false);
  }

  const waiting = () => attempts.map(({ name }) => name);

  test('lets any number of calls pass while the supplier answers', async () => {
    const calls = ['a', 'b', 'c', 'd'].map((name) => call(name));
    expect(waiting()).toEqual(['a', 'b', 'c', 'd']);
    for (const _ of calls) answer('ok');
    expect(await Promise.all(calls)).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(steps).toEqual([]);
  });

  test('lets the next calls pass when the calls that may pass are stopped before their attempt', async () => {
    const slots = new FairSlots(2);
    breaker = new CircuitBreaker({
      ...{ clock, failuresToOpen: 3, reopenAfterMs: 500, reopenAfterMaxMs: 5000, onStep: () => {} },
      takeSlot: (what, signal) => (what === 'probe' ? () => {} : slots.take(1, signal)),
    });
    await open();
    const probe = call('probe');
    const stopping = new AbortController();
    const stopped = Array.from({ length: 8 }, (_, index) => call(`stopped ${index}`, stopping.signal));
    const next = call('next');
    await clock.advance(500);
    const release = await slots.take(1, never);
    answer('ok');
    expect(await probe).toBe('ok');
    await runUntilIdle();
    expect(waiting()).toEqual([]);
    stopping.abort(silence);
    await Promise.allSettled(stopped);
    release();
    await runUntilIdle();
    expect(waiting()).toEqual(['next']);
    answer('ok');
    expect(await next).toBe('ok');
  });

  test('opens after several unknown outcomes in a row, but not if answers come between them', async () => {
    for (const result of [undefined, undefined, 'ok', undefined, undefined]) {
      const done = call('a').catch(() => {});
      answer(result);
      await done;
    }
    expect(breaker.available).toBe(true);
    const last = call('a');
    answer();
    await expect(last).rejects.toBe(silence);
    expect(breaker.available).toBe(false);
    expect(steps).toEqual(['open']);
  });

  test('makes calls wait while it is open, and lets only the first waiting call probe after the pause', async () => {
    await open();
    const calls = ['a', 'b', 'c'].map((name) => call(name));
    await clock.advance(499);
    expect(waiting()).toEqual([]);
    await clock.advance(1);
    expect(waiting()).toEqual(['a']);
    expect(breaker.available).toBe(false);
    answer('ok');
    expect(await calls[0]).toBe('ok');
    await runUntilIdle();
    expect(waiting()).toEqual(['b', 'c']);
    expect(breaker.available).toBe(true);
    expect(steps).toEqual(['open', 'probing', 'closed']);
  });

  test('puts a call at the end of the queue instead of rejecting it when its probe fails', async () => {
    await open();
    const poisonous = call('poisonous');
    const sound = call('sound');
    await clock.advance(500);
    expect(waiting()).toEqual(['poisonous']);
    answer();
    await clock.advance(999);
    expect(waiting()).toEqual([]);
    await clock.advance(1);
    expect(waiting()).toEqual(['sound']);
    answer('ok');
    expect(await sound).toBe('ok');
    await runUntilIdle();
    expect(waiting()).toEqual(['poisonous']);
    answer();
    await expect(poisonous).rejects.toBe(silence);
  });

  test('doubles the pause after each failed probe up to a maximum, and starts over after an answer', async () => {
    await open();
    const patient = call('a');
    for (const ms of [500, 1000, 2000, 4000, 5000, 5000]) {
      await clock.advance(ms - 1);
      expect(waiting(), `${ms} ms`).toEqual([]);
      await clock.advance(1);
      expect(waiting(), `${ms} ms`).toEqual(['a']);
      answer();
      await runUntilIdle();
    }
    await clock.advance(5000);
    answer('ok');
    expect(await patient).toBe('ok');
    await open();
    void call('b');
    await clock.advance(500);
    expect(waiting()).toEqual(['b']);
  });

  test('is available when a probe is due and no call waits, until the next call probes', async () => {
    await open();
    await clock.advance(500);
    expect(breaker.available).toBe(true);
    expect(steps).toEqual(['open', 'due']);
    const first = call('a');
    void call('b');
    expect(breaker.available).toBe(false);
    await runUntilIdle();
    expect(waiting()).toEqual(['a']);
    answer('ok');
    expect(await first).toBe('ok');
    await runUntilIdle();
    expect(waiting()).toEqual(['b']);
  });

  test('makes a new call wait while another call probes', async () => {
    await open();
    void call('a');
    await clock.advance(500);
    void call('b');
    await runUntilIdle();
    expect(waiting()).toEqual(['a']);
    answer();
    await clock.advance(999);
    expect(waiting()).toEqual([]);
    await clock.advance(1);
    expect(waiting()).toEqual(['b']);
  });

  test('removes a stopped call from the queue at once', async () => {
    await open();
    const caller = new AbortController();
    const gone = call('a', caller.signal);
    void call('b');
    caller.abort(new Error('stopped'));
    await expect(gone).rejects.toThrow('stopped');
    await clock.advance(500);
    expect(waiting()).toEqual(['b']);
  });

  test('lets the next call probe if the first one is stopped at the moment of its turn', async () => {
    await open();
    const caller = new AbortController();
    const gone = call('a', caller.signal);
    void call('b');
    onStep = (step) => step === 'probing' && caller.abort(new Error('stopped'));
    await clock.advance(500);
    await expect(gone).rejects.toThrow('stopped');
    expect(waiting()).toEqual(['b']);
  });

  test('does not count an attempt that its caller stopped', async () => {
    for (const name of ['a', 'b', 'c', 'd']) {
      const caller = new AbortController();
      const given = call(name, caller.signal);
      caller.abort();
      answer();
      await expect(given).rejects.toThrow();
    }
    expect(breaker.available).toBe(true);
  });

  test('does not count a probe that its caller stopped: the next call probes', async () => {
    await open();
    const caller = new AbortController();
    const given = call('a', caller.signal);
    void call('b');
    await clock.advance(500);
    caller.abort(new Error('stopped'));
    answer();
    await expect(given).rejects.toThrow('stopped');
    expect(waiting()).toEqual(['b']);
    answer();
    await clock.advance(999);
    expect(waiting()).toEqual([]);
    await clock.advance(1);
    expect(waiting()).toEqual(['b']);
  });

  test('is available after the only call has stopped its probe', async () => {
    await open();
    const caller = new AbortController();
    const given = call('a', caller.signal);
    await clock.advance(500);
    caller.abort(new Error('stopped'));
    answer();
    await expect(given).rejects.toThrow('stopped');
    expect([steps, breaker.available]).toEqual([['open', 'probing', 'due'], true]);
  });

  test('is not changed by the outcome of calls that began before it opened', async () => {
    const early = call('early');
    const late = call('late');
    const [first, second] = attempts.splice(0);
    await open();
    first?.answer.resolve('ok');
    expect(await early).toBe('ok');
    expect(breaker.available).toBe(false);
    const probing = call('probe');
    await clock.advance(500);
    second?.answer.reject(silence);
    await expect(late).rejects.toBe(silence);
    answer('ok');
    expect(await probing).toBe('ok');
  });

  test('runs one probe at a time, also if an older call fails meanwhile', async () => {
    const earlier = Array.from({ length: 6 }, (_, each) => call(`early ${each}`));
    const old = attempts.splice(0);
    for (const { answer: each } of old.slice(0, 3)) each.reject(silence);
    await runUntilIdle();
    expect(breaker.available).toBe(false);
    const probing = call('probe');
    void call('next');
    await clock.advance(500);
    expect(waiting()).toEqual(['probe']);
    for (const { answer: each } of old.slice(3)) each.reject(silence);
    await clock.advance(10_000);
    expect(waiting()).toEqual(['probe']);
    answer('ok');
    expect(await probing).toBe('ok');
    await runUntilIdle();
    expect(waiting()).toEqual(['next']);
    await Promise.allSettled(earlier);
  });

  test('lets waiting calls pass in growing numbers after it has closed, not all at once', async () => {
    await open();
    const calls = Array.from({ length: 60 }, (_, index) => call(String(index)));
    await clock.advance(500);
    answer('ok');
    const rounds: number[] = [];
    for (await runUntilIdle(); attempts.length > 0; await runUntilIdle()) {
      rounds.push(attempts.length);
      for (let left = attempts.length; left > 0; left--) answer('ok');
    }
    expect(rounds[0]).toBe(8);
    expect(rounds.reduce((sum, round) => sum + round)).toBe(59);
    expect(rounds[1]).toBeGreaterThan(8);
    expect(Math.max(...rounds)).toBeLessThan(40);
    expect(await Promise.all(calls)).toHaveLength(60);
  });

  test('removes a call that is stopped while it waits for the congestion window', async () => {
    await open();
    const gone = new AbortController();
    const calls = Array.from({ length: 9 }, (_, index) => call(String(index)));
    const left = call('left', gone.signal);
    const last = call('last');
    await clock.advance(500);
    answer('ok');
    await runUntilIdle();
    expect(waiting()).toHaveLength(8);
    gone.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    for (let each = 0; each < 8; each++) answer('ok');
    await runUntilIdle();
    expect(waiting()).toEqual(['last']);
    answer('ok');
    expect(await last).toBe('ok');
    await Promise.all(calls);
  });

  test('lets an urgent call probe at once and before the others, but does not repeat that', async () => {
    await open();
    const calls = [call('a'), call('b')];
    const urgent = call('urgent', never, true);
    await runUntilIdle();
    expect(waiting()).toEqual(['urgent']);
    answer();
    await clock.advance(999);
    expect(waiting()).toEqual([]);
    await clock.advance(1);
    expect(waiting()).toEqual(['a']);
    for (const _ of [1, 2, 3]) {
      answer('ok');
      await runUntilIdle();
    }
    expect(await Promise.all([...calls, urgent])).toEqual(['ok', 'ok', 'ok']);
  });

  test('does not let a call attempt if it has opened while the call waited for its slot', async () => {
    const hog = Array.from({ length: 512 }, (_, each) => call(`hog ${each}`));
    const late = call('late');
    expect(waiting()).toHaveLength(512);
    for (let each = 0; each < 512; each++) answer();
    await Promise.allSettled(hog);
    await runUntilIdle();
    expect([waiting(), breaker.available]).toEqual([[], false]);
    await clock.advance(500);
    expect(waiting()).toEqual(['late']);
    answer('ok');
    expect(await late).toBe('ok');
  });

  test('leaves no timer behind', async () => {
    await open();
    expect(clock.sleepers).toBe(1);
    breaker.dispose();
    expect(clock.sleepers).toBe(0);
  });
});
