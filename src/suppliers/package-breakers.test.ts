import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock, runUntilIdle } from '../../test/support/manual-clock.ts';
import { FairSlots } from './fair-slots.ts';
import { PackageBreakers } from './package-breakers.ts';

const never = new AbortController().signal;

describe('Q12 PackageBreakers', () => {
  let clock: ManualClock;
  let breakers: PackageBreakers;
  let told: string[];
  /** The packages whose supplier fails. */
  let away: Set<number>;
  /** The attempts of each package. */
  let attempts: Map<number, number>;
  let stopping: AbortController;
  beforeEach(() => {
    clock = new ManualClock();
    told = [];
    away = new Set();
    attempts = new Map();
    stopping = new AbortController();
    breakers = new PackageBreakers({
      ...{ clock, failuresToOpen: 3, reopenAfterMs: 500, reopenAfterMaxMs: 5_000 },
      slots: new FairSlots(64),
      onStep: () => {},
      onTurn: (packageId, turn) => told.push(`${packageId} ${turn}`),
    });
  });
  afterEach(() => breakers.dispose());

  async function call(packageId: number, signal = never): Promise<string> {
    const attempt = async () => {
      attempts.set(packageId, (attempts.get(packageId) ?? 0) + 1);
      if (away.has(packageId)) throw new Error('no answer');
      return 'ok';
    };
    return breakers.run(packageId, attempt, signal, false);
  }

  /** Calls until the package's breaker opens. */
  async function fail(packageId: number): Promise<void> {
    away.add(packageId);
    while (breakers.available(packageId)) await call(packageId, stopping.signal).catch(() => {});
  }

  it('stop the calls of the package that fails, and of no other', async () => {
    await fail(1);
    expect([breakers.available(1), breakers.available(2)]).toEqual([false, true]);
    expect(await call(2)).toBe('ok');
    expect(told).toEqual(['1 fails']);
    away.clear();
    await clock.advance(500);
    expect(await call(1)).toBe('ok');
    expect(told).toEqual(['1 fails', '1 answers']);
  });

  it('name the packages that fail, the longest first, until they answer or nobody calls them', async () => {
    expect(breakers.listFailing()).toBeUndefined();
    await fail(2);
    const since = clock.now();
    await clock.advance(100);
    await fail(1);
    expect(breakers.listFailing()).toEqual({ packages: 2, firstPackages: [2, 1], since });
    away.delete(2);
    await clock.advance(500);
    expect(await call(2)).toBe('ok');
    expect(breakers.listFailing()).toEqual({ packages: 1, firstPackages: [1], since: since + 100 });
    stopping.abort();
    await clock.advance(30_000);
    expect(breakers.listFailing()).toBeUndefined();
  });

  it('make a package that has had no answer begin with a probe while most packages fail', async () => {
    for (const packageId of [1, 2, 3]) await fail(packageId);
    expect(breakers.isMostlyFailing).toBe(true);
    away.add(4);
    const calls = [call(4, stopping.signal), call(4, stopping.signal)];
    await runUntilIdle();
    expect([attempts.get(4), breakers.available(4)]).toEqual([1, false]);
    const good = [call(5), call(5)];
    expect(await Promise.all(good)).toEqual(['ok', 'ok']);
    expect(breakers.available(5)).toBe(true);
    stopping.abort(new Error('stopped'));
    await Promise.allSettled(calls);
  });

  it('let a package call that has had an answer, and any package while few fail', async () => {
    expect(await call(9)).toBe('ok');
    for (const packageId of [1, 2]) await fail(packageId);
    away.add(8);
    await Promise.allSettled([call(8), call(8)]);
    expect(attempts.get(8)).toBe(2);
    await fail(3);
    expect(breakers.isMostlyFailing).toBe(true);
    away.add(9);
    await Promise.allSettled([call(9), call(9)]);
    expect([attempts.get(9), breakers.available(9)]).toEqual([3, true]);
  });

  it('keep only breakers of packages that call or fail', async () => {
    for (let packageId = 1; packageId <= 1_000; packageId++) await call(packageId);
    expect(breakers.size).toBe(0);
    await fail(1);
    expect(breakers.size).toBe(1);
    await clock.advance(31_000);
    await call(2);
    expect(breakers.size).toBe(0);
    expect([breakers.listFailing(), breakers.available(1)]).toEqual([undefined, true]);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
    'keep one breaker when a call begins %i turns after others are answered',
    async (turns) => {
      const answer = Promise.withResolvers<string>();
      const slow = Promise.withResolvers<string>();
      const run = (promise: Promise<string>) => breakers.run(1, () => promise, never, false);
      const first = run(answer.promise);
      const later = answer.promise.then(async () => {
        for (let turn = 0; turn < turns; turn++) await undefined;
        return run(slow.promise);
      });
      const second = run(answer.promise);
      answer.resolve('ok');
      await Promise.all([first, second]);
      await runUntilIdle();
      expect(breakers.size).toBe(1);
      slow.resolve('ok');
      expect(await later).toBe('ok');
      expect(breakers.size).toBe(0);
    },
  );

  it('count neither answers nor failures from before a time without calls', async () => {
    for (const packageId of [11, 12, 13, 14]) await call(packageId);
    await clock.advance(600_000);
    for (const packageId of [1, 2, 3]) await fail(packageId);
    expect(breakers.isMostlyFailing).toBe(true);
    stopping.abort();
    await clock.advance(600_000);
    expect(breakers.isMostlyFailing).toBe(false);
  });

  it('count only answers of the last minute', async () => {
    for (const packageId of [11, 12, 13, 14]) await call(packageId);
    for (const packageId of [1, 2, 3]) await fail(packageId);
    expect(breakers.isMostlyFailing).toBe(false);
    const waiting = [1, 2, 3].map((packageId) => call(packageId, stopping.signal));
    await clock.advance(31_000);
    await call(11);
    expect(breakers.isMostlyFailing).toBe(false);
    await clock.advance(31_000);
    await call(11);
    expect(breakers.isMostlyFailing).toBe(true);
    stopping.abort(new Error('stopped'));
    await Promise.allSettled(waiting);
  });
});
