import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock, settle } from '../../test/support/manual-clock.ts';
import { type BreakerStep, CircuitBreaker } from './circuit-breaker.ts';

const never = new AbortController().signal;
const silence = new Error('no answer');

describe('gate', () => {
  let clock: ManualClock;
  let gate: CircuitBreaker;
  let steps: BreakerStep[];
  let onStep: (step: BreakerStep) => unknown;
  /** Attempts under way, by the name of the call, in the order they began. */
  let attempts: { name: string; answer: PromiseWithResolvers<string> }[];

  beforeEach(() => {
    clock = new ManualClock();
    steps = [];
    onStep = () => {};
    attempts = [];
    gate = new CircuitBreaker({
      clock,
      failuresToOpen: 3,
      reopenAfterMs: 500,
      reopenAfterMaxMs: 5000,
      onStep: (step) => {
        steps.push(step);
        onStep(step);
      },
    });
  });
  afterEach(() => gate.dispose());

  /** A call whose attempts the test answers. */
  function call(name: string, signal = never): Promise<string> {
    const result = gate.run(() => {
      const answer = Promise.withResolvers<string>();
      attempts.push({ name, answer });
      return answer.promise;
    }, signal);
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
    expect(gate.available).toBe(false);
  }

  const waiting = () => attempts.map(({ name }) => name);

  test('lets any number of calls pass while answers come', async () => {
    const calls = ['a', 'b', 'c', 'd'].map((name) => call(name));
    expect(waiting()).toEqual(['a', 'b', 'c', 'd']);
    for (const _ of calls) answer('ok');
    expect(await Promise.all(calls)).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(steps).toEqual([]);
  });

  test('opens on unknown outcomes in a row, and only in a row', async () => {
    for (const result of [undefined, undefined, 'ok', undefined, undefined]) {
      const done = call('a').catch(() => {});
      answer(result);
      await done;
    }
    expect(gate.available).toBe(true);
    const last = call('a');
    answer();
    await expect(last).rejects.toBe(silence);
    expect(gate.available).toBe(false);
    expect(steps).toEqual(['open']);
  });

  test('while open, calls wait; when the time has come, the first of them probes alone', async () => {
    await open();
    const calls = ['a', 'b', 'c'].map((name) => call(name));
    await clock.pass(499);
    expect(waiting()).toEqual([]);
    await clock.pass(1);
    expect(waiting()).toEqual(['a']);
    expect(gate.available).toBe(false);
    answer('ok');
    expect(await calls[0]).toBe('ok');
    await settle();
    expect(waiting()).toEqual(['b', 'c']);
    expect(gate.available).toBe(true);
    expect(steps).toEqual(['open', 'probing', 'closed']);
  });

  test('a probe that fails is not held against its caller, who goes to the back of the line', async () => {
    await open();
    const poisonous = call('poisonous');
    const sound = call('sound');
    await clock.pass(500);
    expect(waiting()).toEqual(['poisonous']);
    answer();
    await clock.pass(999);
    expect(waiting()).toEqual([]);
    await clock.pass(1);
    expect(waiting()).toEqual(['sound']);
    answer('ok');
    expect(await sound).toBe('ok');
    await settle();
    expect(waiting()).toEqual(['poisonous']);
    answer();
    await expect(poisonous).rejects.toBe(silence);
  });

  test('waits twice as long after each probe that fails, up to a limit, and from the start after an answer', async () => {
    await open();
    const patient = call('a');
    for (const ms of [500, 1000, 2000, 4000, 5000, 5000]) {
      await clock.pass(ms - 1);
      expect(waiting(), `${ms} ms`).toEqual([]);
      await clock.pass(1);
      expect(waiting(), `${ms} ms`).toEqual(['a']);
      answer();
      await settle();
    }
    await clock.pass(5000);
    answer('ok');
    expect(await patient).toBe('ok');
    await open();
    void call('b');
    await clock.pass(500);
    expect(waiting()).toEqual(['b']);
  });

  test('is available again when it is due and nobody waits, until the next call probes', async () => {
    await open();
    await clock.pass(500);
    expect(gate.available).toBe(true);
    expect(steps).toEqual(['open', 'due']);
    const first = call('a');
    void call('b');
    expect(gate.available).toBe(false);
    await settle();
    expect(waiting()).toEqual(['a']);
    answer('ok');
    expect(await first).toBe('ok');
    await settle();
    expect(waiting()).toEqual(['b']);
  });

  test('a call that comes while a probe runs waits for its own turn', async () => {
    await open();
    void call('a');
    await clock.pass(500);
    void call('b');
    await settle();
    expect(waiting()).toEqual(['a']);
    answer();
    await clock.pass(999);
    expect(waiting()).toEqual([]);
    await clock.pass(1);
    expect(waiting()).toEqual(['b']);
  });

  test('a caller who gives up leaves the line at once', async () => {
    await open();
    const caller = new AbortController();
    const gone = call('a', caller.signal);
    void call('b');
    caller.abort(new Error('stopped'));
    await expect(gone).rejects.toThrow('stopped');
    await clock.pass(500);
    expect(waiting()).toEqual(['b']);
  });

  test('a caller who gives up in the instant of its turn lets the next one probe', async () => {
    await open();
    const caller = new AbortController();
    const gone = call('a', caller.signal);
    void call('b');
    onStep = (step) => step === 'probing' && caller.abort(new Error('stopped'));
    await clock.pass(500);
    await expect(gone).rejects.toThrow('stopped');
    expect(waiting()).toEqual(['b']);
  });

  test('an attempt that its caller gave up says nothing about the supplier', async () => {
    for (const name of ['a', 'b', 'c', 'd']) {
      const caller = new AbortController();
      const given = call(name, caller.signal);
      caller.abort();
      answer();
      await expect(given).rejects.toThrow();
    }
    expect(gate.available).toBe(true);
  });

  test('a probe that its caller gave up does not close the breaker', async () => {
    await open();
    const caller = new AbortController();
    const given = call('a', caller.signal);
    await clock.pass(500);
    caller.abort(new Error('stopped'));
    answer();
    await expect(given).rejects.toThrow('stopped');
    expect(gate.available).toBe(false);
    void call('b');
    await clock.pass(1000);
    expect(waiting()).toEqual(['b']);
  });

  test('calls that began before it opened may end as they like', async () => {
    const early = call('early');
    const late = call('late');
    const [first, second] = attempts.splice(0);
    await open();
    first?.answer.resolve('ok');
    expect(await early).toBe('ok');
    expect(gate.available).toBe(false);
    const probing = call('probe');
    await clock.pass(500);
    second?.answer.reject(silence);
    await expect(late).rejects.toBe(silence);
    answer('ok');
    expect(await probing).toBe('ok');
  });

  test('a failure from before it opened that comes while a probe runs keeps one probe at a time', async () => {
    const earlier = Array.from({ length: 6 }, (_, each) => call(`early ${each}`));
    const old = attempts.splice(0);
    for (const { answer: each } of old.slice(0, 3)) each.reject(silence);
    await settle();
    expect(gate.available).toBe(false);
    const probing = call('probe');
    void call('next');
    await clock.pass(500);
    expect(waiting()).toEqual(['probe']);
    for (const { answer: each } of old.slice(3)) each.reject(silence);
    await clock.pass(10_000);
    expect(waiting()).toEqual(['probe']);
    answer('ok');
    expect(await probing).toBe('ok');
    await settle();
    expect(waiting()).toEqual(['next']);
    await Promise.allSettled(earlier);
  });

  test('lets more and more pass once it has closed, and not all who have waited at once', async () => {
    await open();
    const calls = Array.from({ length: 60 }, (_, index) => call(String(index)));
    await clock.pass(500);
    answer('ok');
    const rounds: number[] = [];
    for (await settle(); attempts.length > 0; await settle()) {
      rounds.push(attempts.length);
      for (let left = attempts.length; left > 0; left--) answer('ok');
    }
    expect(rounds[0]).toBe(8);
    expect(rounds.reduce((sum, round) => sum + round)).toBe(59);
    expect(rounds[1]).toBeGreaterThan(8);
    expect(Math.max(...rounds)).toBeLessThan(40);
    expect(await Promise.all(calls)).toHaveLength(60);
  });

  test('who is given up while it waits for room leaves the line to the others', async () => {
    await open();
    const gone = new AbortController();
    const calls = Array.from({ length: 9 }, (_, index) => call(String(index)));
    const left = call('left', gone.signal);
    const last = call('last');
    await clock.pass(500);
    answer('ok');
    await settle();
    expect(waiting()).toHaveLength(8);
    gone.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    for (let each = 0; each < 8; each++) answer('ok');
    await settle();
    expect(waiting()).toEqual(['last']);
    answer('ok');
    expect(await last).toBe('ok');
    await Promise.all(calls);
  });

  test('leaves no timer behind', async () => {
    await open();
    expect(clock.sleepers).toBe(1);
    gate.dispose();
    expect(clock.sleepers).toBe(0);
  });
});
