import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openStrategyFixture, type StrategyFixture } from '../../../test/support/strategy-fixture.ts';
import type { Answer, NotOwner, Purchase } from '../../domain/messages.ts';
import { CommitUnknownError, FencedError, StoreUnavailableError } from '../../storage/store.ts';
import { ContendedError, UnknownPackageError } from '../commands.ts';
import { OptimisticTransactions, type Transaction } from './optimistic-transactions.ts';

let stage: StrategyFixture;
let transactions: OptimisticTransactions;
let changedQueues: number[];

beforeEach(async () => {
  stage = await openStrategyFixture({ package: { quota: 2 } });
  changedQueues = [];
  transactions = newTransactions();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await stage.close();
});

function newTransactions(): OptimisticTransactions {
  return new OptimisticTransactions({
    ...stage.options(),
    rules: { waitersPerUnit: 0, waitersMax: 100, ordersPerEmail: 0, rejectionsMax: 0 },
    suppliersAvailable: () => true,
    onQueueChange: (packageId) => changedQueues.push(packageId),
  });
}

function purchase(orderId: string, caller: Purchase['caller'] = () => {}): Purchase {
  const deadlineAt = Number.POSITIVE_INFINITY;
  return { kind: 'purchase', orderId, email: `${orderId}@example.com`, deadlineAt, caller };
}

/** Claims a unit for an order with this id. Returns the error code if the claim is refused. */
async function run(
  id: string,
  over: Partial<Omit<Transaction, 'messages'>> = {},
  by = transactions,
): Promise<string> {
  const answer = await by.ask(purchase(id), { packageId: 1, ...over });
  return answer?.kind === 'refused' ? answer.code : (answer?.kind ?? 'not wanted');
}

describe('a change', () => {
  test('Q3 is decided again if another process changed the state meanwhile', async () => {
    const others = [newTransactions(), newTransactions()];
    const seen: number[] = [];
    const { commit } = stage.store;
    let isOwn = true;
    vi.spyOn(stage.store, 'commit').mockImplementation(async (...parameters) => {
      const other = isOwn ? others.pop() : undefined;
      if (other !== undefined) {
        // Before each commit, another process commits first.
        isOwn = false;
        await run(`other-${others.length}`, {}, other);
        isOwn = true;
      }
      return commit.apply(stage.store, parameters);
    });
    const isWanted: Transaction['isWanted'] = ({ inventory }) => seen.push(inventory.remaining) > 0;
    const result = await run('mine', { isWanted });
    expect([seen, result]).toEqual([[2, 1, 0], 'queue_full']);
    expect(await stage.orders('held')).toHaveLength(2);
  });

  test('Q7 is stored once if the outcome of its commit is unknown, whether or not the commit was applied', async () => {
    const { commit } = stage.store;
    const spy = vi.spyOn(stage.store, 'commit').mockImplementationOnce(async (...parameters) => {
      await commit.apply(stage.store, parameters);
      throw new CommitUnknownError('the answer got lost');
    });
    expect(await run('applied')).toBe('accepted');
    spy.mockRejectedValueOnce(new CommitUnknownError('the question got lost'));
    expect(await run('not applied')).toBe('accepted');
    expect(await stage.orders()).toHaveLength(2);
  });

  test('Q6 is published and answered once it is applied, and the queue is published only if the queue has changed', async () => {
    const heard: number[] = [];
    const answers: (Answer | NotOwner)[] = [];
    stage.liveBus.subscribe({ package: ({ inventory }) => heard.push(inventory.held) });
    vi.spyOn(stage.store, 'commit').mockRejectedValueOnce(new FencedError('too late'));
    const messages = () => [purchase('one', (answer) => answers.push(answer))];
    const running = transactions.run({ packageId: 1, messages });
    expect([heard, answers]).toEqual([[], []]);
    await running;
    expect([heard, answers.map(({ kind }) => kind), changedQueues]).toEqual([[1], ['accepted'], []]);
    await transactions.run({
      packageId: 1,
      messages: () => [purchase('two')],
      rules: { waitersPerUnit: 1, claimsMax: 0 },
    });
    expect(changedQueues).toEqual([1]);
  });

  test('is given up if the store rejects it permanently', async () => {
    const commit = vi.spyOn(stage.store, 'commit').mockRejectedValue(new Error('the id is taken'));
    await expect(run('one')).rejects.toThrow('the id is taken');
    expect(commit).toHaveBeenCalledTimes(1);
  });

  test('is not stored, and its caller is not answered, if it is no longer wanted', async () => {
    const caller = vi.fn();
    const { step } = await transactions.run({
      packageId: 1,
      messages: () => [purchase('one', caller)],
      isWanted: () => false,
    });
    expect([step.change, step.effects]).toEqual([undefined, []]);
    expect(caller).not.toHaveBeenCalled();
    expect(await stage.orders()).toEqual([]);
  });

  test('is refused if its package does not exist', async () => {
    await expect(run('one', { packageId: 99 })).rejects.toBeInstanceOf(UnknownPackageError);
  });

  test('Q8 that comes from a saga is committed under the current epoch, and only while its order is held', async () => {
    await run('one');
    await stage.store.takeOwnership(1, 'another engine');
    const message = { kind: 'refused', orderId: 'one', events: [], reason: 'flight_unavailable' } as const;
    const report: Transaction = {
      packageId: 1,
      wanted: { ids: ['one'] },
      messages: (epoch) => [{ ...message, epoch }],
    };
    const first = await transactions.run(report);
    expect(first.step.change?.updated).toMatchObject([{ id: 'one', status: 'failed' }]);
    const second = await transactions.run(report);
    expect([second.step.change, second.versioned.orders[0]?.status]).toEqual([undefined, 'failed']);
    expect((await stage.store.package(1))?.inventory).toMatchObject({ remaining: 2, held: 0 });
  });
});

describe('the limits of a transaction', () => {
  test('end the transaction if other processes are always quicker or the store is away', async () => {
    const { clock } = stage.options();
    vi.spyOn(stage.store, 'commit').mockRejectedValue(new FencedError('too late'));
    await expect(run('one', { until: clock.monotonic() + 30 })).rejects.toBeInstanceOf(ContendedError);
    const stop = new AbortController();
    const stopped = expect(run('one', { signal: stop.signal })).rejects.toBeInstanceOf(ContendedError);
    stop.abort();
    await stopped;
    vi.spyOn(stage.store, 'versionedPackage').mockRejectedValue(new StoreUnavailableError('away'));
    await expect(run('one')).rejects.toBeInstanceOf(StoreUnavailableError);
  });

  test('do not end later transactions', async () => {
    const { clock } = stage.options();
    vi.spyOn(stage.store, 'commit').mockRejectedValueOnce(new FencedError('too late'));
    const [first, second] = await Promise.allSettled([
      run('one', { until: clock.monotonic() - 1 }),
      run('two'),
    ]);
    expect([first?.status, second?.status]).toEqual(['rejected', 'fulfilled']);
  });
});

test('keep no turns of a package when no transaction is under way', async () => {
  const wrong = run('B', { packageId: 99 }).catch(() => {});
  await Promise.all([run('A'), run('C'), wrong]);
  expect(transactions.packages).toBe(0);
  await run('D');
  expect(transactions.packages).toBe(0);
});
