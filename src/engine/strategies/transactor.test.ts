import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type PlanStage, setPlanStage } from '../../../test/support/plan-stage.ts';
import { CommitUnknownError, FencedError, type Present, StoreUnavailableError } from '../../storage/store.ts';
import { hold } from './changes.ts';
import { ContendedError, type Decision, Transactor } from './transactor.ts';

let stage: PlanStage;
let transactor: Transactor;
let lines: number[];

beforeEach(async () => {
  stage = await setPlanStage({ package: { quota: 2 } });
  lines = [];
  transactor = new Transactor({ ...stage.options(), onLine: (packageId) => lines.push(packageId) });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await stage.close();
});

/** Claims a unit for an order with this id, unless it is stored or no unit is left. */
function claimFor(id: string): (present: Present, now: number) => Decision<string> {
  return (present, now) => {
    if (present.orders.length > 0) return { result: 'stored before' };
    if (present.figures.remaining === 0) return { result: 'none left' };
    return { change: hold(present, { id, email: `${id}@example.com` }, now), result: 'stored' };
  };
}

const run = (id: string, limits = {}) => transactor.run(1, { ids: [id] }, claimFor(id), limits);

describe('a change', () => {
  test('Q3 that was decided on an older present is decided anew', async () => {
    const others = [new Transactor(stage.options()), new Transactor(stage.options())];
    const seen: number[] = [];
    const result = await transactor.run(1, { ids: ['mine'] }, async (present, now) => {
      seen.push(present.figures.remaining);
      // Somebody is quicker, each time.
      const id = `other-${seen.length}`;
      await others.pop()?.run(1, { ids: [id] }, claimFor(id));
      return claimFor('mine')(present, now);
    });
    expect([seen, result]).toEqual([[2, 1, 0], 'none left']);
    expect(await stage.orders('held')).toHaveLength(2);
  });

  test('whose commit is unknown is stored once, whether or not it was applied', async () => {
    const { commit } = stage.store;
    const spy = vi.spyOn(stage.store, 'commit').mockImplementationOnce(async (...parameters) => {
      await commit.apply(stage.store, parameters);
      throw new CommitUnknownError('the answer got lost');
    });
    expect(await run('applied')).toBe('stored before');
    spy.mockRejectedValueOnce(new CommitUnknownError('the question got lost'));
    expect(await run('not applied')).toBe('stored');
    expect(await stage.orders()).toHaveLength(2);
  });

  test('is told to viewers once it is applied, the line only when it is another', async () => {
    const heard: string[] = [];
    stage.liveBus.subscribe({ order: ({ id }) => heard.push(id) });
    vi.spyOn(stage.store, 'commit').mockRejectedValueOnce(new FencedError('too late'));
    const running = run('one');
    expect(heard).toEqual([]);
    await running;
    expect([heard, lines]).toEqual([['one'], []]);
  });

  test('that the store will never take is given up', async () => {
    const commit = vi.spyOn(stage.store, 'commit').mockRejectedValue(new Error('the id is taken'));
    await expect(run('one')).rejects.toThrow('the id is taken');
    expect(commit).toHaveBeenCalledTimes(1);
  });
});

describe('limits', () => {
  test('end it when others are always quicker, or the store cannot be reached', async () => {
    const { clock } = stage.options();
    vi.spyOn(stage.store, 'commit').mockRejectedValue(new FencedError('too late'));
    await expect(run('one', { until: clock.now() + 30 })).rejects.toBeInstanceOf(ContendedError);
    const stop = new AbortController();
    const stopped = expect(run('one', { signal: stop.signal })).rejects.toBeInstanceOf(ContendedError);
    stop.abort();
    await stopped;
    vi.spyOn(stage.store, 'present').mockRejectedValue(new StoreUnavailableError('away'));
    await expect(run('one')).rejects.toBeInstanceOf(StoreUnavailableError);
  });

  test('of one do not end those behind it', async () => {
    const { clock } = stage.options();
    vi.spyOn(stage.store, 'commit').mockRejectedValueOnce(new FencedError('too late'));
    const [first, second] = await Promise.allSettled([run('one', { until: clock.now() - 1 }), run('two')]);
    expect([first?.status, second?.status]).toEqual(['rejected', 'fulfilled']);
  });
});
