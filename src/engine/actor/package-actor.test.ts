import { describe, expect, test, vi } from 'vitest';
import { DecideFixture, defaultRules, makePackage } from '../../../test/support/decide-fixture.ts';
import { fakeOrder } from '../../../test/support/fake-engine.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { ScriptedSuppliers } from '../../../test/support/scripted-suppliers.ts';
import type { PackageMessage } from '../../domain/messages.ts';
import type { Notifications } from '../../notifications/notifications.ts';
import { silentLog } from '../../observability/log.ts';
import { localLiveBus, type QueueSnapshot } from '../../realtime/live-bus.ts';
import type { Store } from '../../storage/store.ts';
import { type PackageActorOptions, PackageBehaviour } from './package-actor.ts';

function behaviourWith(options: Partial<PackageActorOptions> = {}): PackageBehaviour {
  return new PackageBehaviour({
    store: {} as Store,
    clock: new ManualClock(),
    notify: () => {},
    suppliers: new ScriptedSuppliers(),
    liveBus: localLiveBus(),
    log: silentLog,
    instance: 'test',
    rules: defaultRules,
    ...options,
  });
}

test('a new owner publishes the queue at once, although the queue has not changed', async () => {
  const liveBus = localLiveBus();
  const published: QueueSnapshot[] = [];
  liveBus.subscribe({ queue: (snapshot) => published.push(snapshot) });
  const inventory = { remaining: 0, held: 0, confirmed: 2, cancelling: 0, waiting: 1, nextNumber: 4 };
  const unfinished = [fakeOrder({ packageId: 7, number: 3, status: 'queued' })];
  const ownership = { package: makePackage(), inventory, fence: { epoch: 2, seq: 9 }, unfinished };
  const store = { takeOwnership: async () => ownership } as unknown as Store;
  const actor = await behaviourWith({ liveBus, store }).activate(7);
  actor?.resume(new AbortController().signal);
  expect(published).toEqual([{ packageId: 7, first: [3], all: [3, 3] }]);
});

test('an actor is not passivated while it delivers notices, and looks again when all are delivered', async () => {
  const notify = vi.fn();
  let isDelivering = true;
  let settled = () => {};
  const notifications: Notifications = {
    own: (_packageId, _until, whenSettled) => {
      settled = whenSettled;
    },
    added: () => {},
    isDelivering: () => isDelivering,
    packagesOwing: () => [],
  };
  const inventory = { remaining: 2, held: 0, confirmed: 0, cancelling: 0, waiting: 0, nextNumber: 1 };
  const ownership = { package: makePackage(), inventory, fence: { epoch: 2, seq: 9 }, unfinished: [] };
  const store = { takeOwnership: async () => ownership } as unknown as Store;
  const actor = await behaviourWith({ store, notify, notifications }).activate(7);
  actor?.resume(new AbortController().signal);
  expect(actor?.isIdle).toBe(false);
  isDelivering = false;
  settled();
  expect(notify).toHaveBeenLastCalledWith(7, { kind: 'tick' });
  expect(actor?.isIdle).toBe(true);
});

test('Q12 a retry of an order that has ended makes its owner look for notices', async () => {
  const added = vi.fn();
  const notifications: Notifications = {
    own: () => {},
    added,
    isDelivering: () => false,
    packagesOwing: () => [],
  };
  const held = fakeOrder({ id: 'held', packageId: 7, status: 'held' });
  const ended = fakeOrder({ id: 'ended', packageId: 7, status: 'confirmed' });
  const inventory = { remaining: 0, held: 1, confirmed: 1, cancelling: 0, waiting: 0, nextNumber: 3 };
  const ownership = { package: makePackage(), inventory, fence: { epoch: 2, seq: 9 }, unfinished: [held] };
  const order = async () => ended;
  const store = { takeOwnership: async () => ownership, order } as unknown as Store;
  const actor = await behaviourWith({ store, notifications }).activate(7);
  if (actor === undefined) throw new Error('the package is not there');
  const retry = async (orderId: string) => {
    const message = { kind: 'retry', orderId, caller: () => {}, deadlineAt: 1_000_000 } as const;
    actor.decide([message], await actor.loadLookups([message]));
  };
  await retry('held');
  expect(added).not.toHaveBeenCalled();
  await retry('ended');
  expect(added.mock.calls).toEqual([[actor.state.package.id]]);
});

test('Q2 a saga’s result that could not be processed is delivered again', async () => {
  const clock = new ManualClock();
  const notify = vi.fn();
  const order = fakeOrder({ packageId: 7, status: 'held' });
  const store = { order: async (id: string) => (id === order.id ? order : undefined) } as Store;
  const result: PackageMessage = {
    ...{ kind: 'refused', orderId: order.id, epoch: 1, events: [] },
    reason: 'flight_unavailable',
  };
  behaviourWith({ store, clock, notify }).drop(result);
  expect(notify).not.toHaveBeenCalled();
  await clock.advance(60_000);
  expect(notify).toHaveBeenCalledWith(7, result);
});

describe('messages past their deadline', () => {
  const behaviour = behaviourWith();

  test.each([
    ['store', 'store_unavailable'],
    ['owner', 'no_owner'],
  ] as const)('are refused while the %s is away, and other messages are kept', (cause, code) => {
    const bench = new DecideFixture();
    const late = bench.purchase({ deadlineAt: 999 });
    const others = [bench.purchase({ deadlineAt: 1_000 }), bench.refused('order-9')];
    expect(behaviour.expire([late, ...others], 1_000, cause)).toEqual(others);
    expect(bench.answers).toEqual([{ kind: 'refused', code }]);
  });

  test.each([
    ['without a key leaves the queue', undefined, [{ kind: 'withdraw', orderId: 'order-1' }]],
    ['with a key keeps its position', 'k', []],
  ])('Q4 when a purchase that may be stored is refused, an order %s', (_, key, rest) => {
    const bench = new DecideFixture();
    const purchase = bench.purchase({ deadlineAt: 999, ...(key === undefined ? {} : { key }) });
    expect(behaviour.expire([{ ...purchase, inDoubt: true }], 1_000, 'owner')).toEqual(rest);
  });
});
