import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ScriptedSuppliers } from '../../../test/support/scripted-suppliers.ts';
import { makeDatabase, onSale, type TestDatabase } from '../../../test/support/server.ts';
import type { OrderAt } from '../../domain/notices.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import type { Channel } from '../../notifications/channel.ts';
import { Dispatcher } from '../../notifications/dispatcher.ts';
import { silentLog as log } from '../../observability/log.ts';
import { noMetrics as metrics } from '../../observability/metrics.ts';
import { localLiveBus } from '../../realtime/live-bus.ts';
import { openSqliteStore, type SqliteStore } from '../../storage/sqlite/sqlite-store.ts';
import type { PurchaseRequest } from '../engine.ts';
import { ActorEngine } from './actor-engine.ts';

/** An instance whose mails go to a list. */
class Instance {
  readonly store: SqliteStore;
  readonly suppliers = new ScriptedSuppliers();
  readonly sent: OrderAt[] = [];
  readonly engine: ActorEngine;
  readonly #dispatcher: Dispatcher;
  /** Mails are refused while this is true. */
  isAway = false;

  constructor(file: string) {
    const random = systemRandom();
    const mail: Channel = {
      ...{ name: 'mail', deliveriesMax: 8 },
      deliver: async (notice) => {
        if (this.isAway) throw new Error('away');
        this.sent.push(notice);
      },
      close() {},
    };
    this.store = openSqliteStore({ file });
    const { outbox } = this.store;
    this.#dispatcher = new Dispatcher({
      ...{ channels: [mail], store: outbox, clock, random, log, metrics, sweepMs: 20 },
    });
    this.engine = new ActorEngine({
      ...{ store: this.store, suppliers: this.suppliers, liveBus: localLiveBus(), clock, random, log },
      instance: 'test',
      rules: {
        ...{ waitersPerUnit: 2, waitersMax: 100, ordersPerEmail: 0, rejectionsMax: 100 },
        noticeChannels: ['mail'],
      },
      snapshotMaxAgeMs: Number.POSITIVE_INFINITY,
      notifications: this.#dispatcher,
    });
  }

  async start(): Promise<void> {
    void this.#dispatcher.run();
    await this.engine.start();
  }

  async stop(): Promise<void> {
    await this.engine.drain();
    this.engine.close();
    await this.#dispatcher.close();
    await this.store.close();
  }

  /** Buys a trip and books it. */
  async buy(over: Partial<PurchaseRequest> = {}): Promise<string> {
    const answer = await this.engine.purchase({ packageId: 1, email: 'a@example.com', ...over });
    if (answer.kind !== 'accepted') throw new Error(`refused: ${answer.code}`);
    await vi.waitFor(() => expect(this.suppliers.flights).toHaveLength(1));
    this.suppliers.answerFlight();
    await this.engine.outcome(answer.order, { waitMs: 5_000 });
    return answer.order.id;
  }
}

let database: TestDatabase;
const fileOf = ({ url }: TestDatabase) => url.replace('sqlite:', '');
beforeEach(async () => {
  database = await makeDatabase([onSale({ quota: 2 })]);
});
afterEach(() => database.delete());

test('the outcome of an order is told once', async () => {
  const instance = new Instance(fileOf(database));
  await instance.start();
  const id = await instance.buy();
  await vi.waitFor(() => expect(instance.sent).toHaveLength(1));
  expect(instance.sent[0]).toMatchObject({ event: 'confirmed', order: { id, status: 'confirmed' } });
  await vi.waitFor(async () => expect(await instance.store.outbox.packagesOwing(['mail'])).toEqual([]));
  await instance.stop();
});

test.each([{}, { key: 'k' }])('an order is told in the language of its purchase: %j', async (over) => {
  const instance = new Instance(fileOf(database));
  await instance.start();
  await instance.buy({ ...over, language: 'de' });
  await vi.waitFor(() => expect(instance.sent).toMatchObject([{ order: { ...over, language: 'de' } }]));
  await instance.stop();
});

test('Q6 the next owner tells what the former one could not, although no order is unfinished', async () => {
  const former = new Instance(fileOf(database));
  former.isAway = true;
  await former.start();
  const id = await former.buy();
  await former.stop();
  const next = new Instance(fileOf(database));
  expect(await next.store.packagesWithUnfinished()).toEqual([]);
  await next.start();
  await vi.waitFor(() => expect(next.sent).toMatchObject([{ event: 'confirmed', order: { id } }]));
  await next.stop();
});
