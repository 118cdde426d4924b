import { expect, test, vi } from 'vitest';
import { defaultRules, makePackage } from '../../../test/support/decide-fixture.ts';
import { fakeOrder } from '../../../test/support/fake-engine.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { ScriptedSuppliers } from '../../../test/support/scripted-suppliers.ts';
import type { PackageMessage } from '../../domain/messages.ts';
import type { Order } from '../../domain/order.ts';
import { PackageState } from '../../domain/package-state.ts';
import { silentLog } from '../../observability/log.ts';
import { localLiveBus, type QueueSnapshot } from '../../realtime/live-bus.ts';
import type { Store } from '../../storage/store.ts';
import { PackageBehaviour } from './package-behaviour.ts';

test('a new owner tells the line at once, also when nothing changes in it', () => {
  const liveBus = localLiveBus();
  const lines: QueueSnapshot[] = [];
  liveBus.subscribe({ queue: (line) => lines.push(line) });
  const behaviour = new PackageBehaviour({
    store: {} as Store,
    clock: new ManualClock(),
    notify: () => {},
    suppliers: new ScriptedSuppliers(),
    liveBus,
    log: silentLog,
    instance: 'test',
    rules: defaultRules,
  });
  const inventory = { remaining: 0, held: 0, confirmed: 2, cancelling: 0, waiting: 1, nextNumber: 4 };
  const unfinished = [fakeOrder({ packageId: 7, number: 3, status: 'queued' })];
  const ownership = { package: makePackage(), inventory, fence: { epoch: 2, seq: 9 }, unfinished };
  behaviour.resume(new PackageState(ownership, true), new AbortController().signal);
  expect(lines).toEqual([{ packageId: 7, first: [3], all: [3] }]);
});

test('Q2 the word of a saga that could not be processed is delivered again', async () => {
  const clock = new ManualClock();
  const notify = vi.fn();
  const order: Order = fakeOrder({ packageId: 7, status: 'held' });
  const store = { order: async (id: string) => (id === order.id ? order : undefined) } as Store;
  const behaviour = new PackageBehaviour({
    store,
    clock,
    notify,
    suppliers: new ScriptedSuppliers(),
    liveBus: localLiveBus(),
    log: silentLog,
    instance: 'test',
    rules: defaultRules,
  });
  const word: PackageMessage = {
    kind: 'refused',
    orderId: order.id,
    epoch: 1,
    events: [],
    reason: 'flight_unavailable',
  };
  behaviour.drop(word, new Error('poison'));
  expect(notify).not.toHaveBeenCalled();
  await clock.advance(60_000);
  expect(notify).toHaveBeenCalledWith(7, word);
});
