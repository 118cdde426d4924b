import { expect, test, vi } from 'vitest';
import { localLiveBus } from '../adapters/live/local.ts';
import type { Order } from '../domain/order.ts';
import { silentLog } from '../ports/log.ts';
import type { Store } from '../ports/store.ts';
import { someRules } from '../testing/support/actor-bench.ts';
import { fakeOrder } from '../testing/support/fake-engine.ts';
import { ManualClock } from '../testing/support/manual-clock.ts';
import { ScriptedSuppliers } from '../testing/support/scripted-suppliers.ts';
import type { PackageMessage } from './messages.ts';
import { PackageBehaviour } from './package-behaviour.ts';

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
    rules: someRules,
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
  await clock.pass(60_000);
  expect(notify).toHaveBeenCalledWith(7, word);
});
