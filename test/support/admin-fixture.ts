import { setTimeout as sleep } from 'node:timers/promises';
import type { Order } from '../../src/domain/order.ts';
import { orderIdFrom } from '../../src/domain/order.ts';
import type { TravelPackage } from '../../src/domain/travel-package.ts';
import { openSqliteStore } from '../../src/storage/sqlite/sqlite-store.ts';
import { buy } from './api-client.ts';
import { type SupplierFault, startFaultySupplier } from './faulty-supplier.ts';
import { makeDatabase, onSale, startServer } from './server.ts';

/** A server during a sale that shows operators every state at the same time. */
export interface AdminFixture extends AsyncDisposable {
  readonly origin: string;
  /** The operators' token. */
  readonly token: string;
  /** The order whose saga is stuck. */
  readonly stuckOrder: Order;
}

/**
 * Package ids by state. Two packages sell, one is paused and has a queue, one is sold out, one is not open yet, and one
 * has a stuck order.
 */
export const adminFixtureIds = { selling: 1, paused: 2, busy: 3, soldOut: 4, notOpen: 5, stuck: 6 } as const;

const token = 'the-token-of-the-operators';
const lineLength = 12;
const dayMs = 24 * 60 * 60 * 1000;

export async function startAdminFixture(): Promise<AdminFixture> {
  await using started = new AsyncDisposableStack();
  const supplier = await startFaultySupplier({ fault: ({ body }) => faultOf(String(body.email)) });
  started.defer(() => supplier.stop());
  const packages = packagesOf(Math.ceil(Date.now() / 3_600_000) * 3_600_000);
  const database = await makeDatabase(packages);
  started.defer(() => database.delete());
  const stuckOrder = stuckOrderOf(packages.find(({ id }) => id === adminFixtureIds.stuck) as TravelPackage);
  await putIn(database.url.replace('sqlite:', ''), stuckOrder);
  const server = await startServer({
    settings: {
      ...{ DATABASE_URL: database.url, SUPPLIERS_URL: supplier.url, INSTANCE_ID: 'instance-1' },
      ...{ ADMIN_TOKEN: token, RATE_LIMIT: 'off', SUPPLIER_TIMEOUT_MS: '600000' },
    },
  });
  started.defer(() => server.stop());
  const { origin } = server;
  await sellOut(origin);
  await pauseWithLine(origin);
  const crowds = [crowd(origin, adminFixtureIds.selling, 240), crowd(origin, adminFixtureIds.busy, 70)];
  started.defer(async () => {
    await Promise.all(crowds.map((each) => each.stop()));
  });
  // The sparklines show the last minute, so wait until there is something to show.
  await sleep(4_000);
  const all = started.move();
  return { origin, token, stuckOrder, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

function packagesOf(now: number): TravelPackage[] {
  const { selling, paused, busy, soldOut, notOpen, stuck } = adminFixtureIds;
  return [
    onSale({ id: selling, flight: 'Flight-1', stay: '2026-12-24', price: 320, quota: 500 }),
    onSale({ id: paused, flight: 'Flight-2', stay: '2026-12-24', price: 280, quota: 3 }),
    onSale({
      ...{ id: busy, flight: 'Flight-3', stay: '2026-12-25', price: 190, quota: 2000 },
      closesAt: now + dayMs,
    }),
    onSale({ id: soldOut, flight: 'Flight-3', stay: '2026-12-26', price: 190, quota: 2 }),
    onSale({ id: notOpen, flight: 'Flight-4', stay: '2026-12-31', quota: 40, opensAt: now + 2 * dayMs }),
    onSale({ id: stuck, flight: 'Flight-5', stay: '2027-01-02', price: 150, quota: 20 }),
  ];
}

/** The email decides the suppliers' answer. */
function faultOf(email: string): SupplierFault {
  if (email.startsWith('hangs')) return { effect: 'none', answer: 'hang' };
  if (email.startsWith('no-seat')) return { effect: 'refuse' };
  return email.startsWith('crowd') ? { answerAfterMs: 150 } : {};
}

/** A held order whose flight was reserved two minutes ago. */
function stuckOrderOf({ id, flight, stay, price }: TravelPackage): Order {
  const at = Date.now() - 134_000;
  return {
    id: orderIdFrom(at, Buffer.from('anystuck')),
    ...{ packageId: id, number: 1, package: { flight, stay, price }, email: 'hangs@example.com' },
    ...{ status: 'held', createdAt: at, flight: { ticketNumber: 'F00083920' } },
    timeline: [
      { at, event: 'claimed' },
      { at: at + 1_200, event: 'flight reserved', detail: 'F00083920' },
    ],
  };
}

/** Stores an order as an earlier run of the server would. */
async function putIn(file: string, order: Order): Promise<void> {
  const store = openSqliteStore({ file });
  const owned = await store.takeOwnership(order.packageId, 'instance-1');
  if (owned === undefined) throw new Error(`there is no package ${order.packageId}`);
  const inventory = { ...owned.inventory, remaining: owned.inventory.remaining - 1, held: 1, nextNumber: 2 };
  await store.commit(order.packageId, owned.fence, { inventory, inserted: [order], updated: [] });
  await store.close();
}

async function sellOut(origin: string): Promise<void> {
  for (const email of ['ana@example.com', 'ben@example.com']) {
    await buy(origin, adminFixtureIds.soldOut, { email });
  }
}

async function pauseWithLine(origin: string): Promise<void> {
  const id = adminFixtureIds.paused;
  await buy(origin, id, { email: 'ana@example.com' });
  await buy(origin, id, { email: 'ben@example.com' });
  await buy(origin, id, { email: 'hangs@example.com', prefer: 'respond-async' });
  for (let place = 1; place <= lineLength; place++) {
    await buy(origin, id, { email: `line${place}@example.com`, prefer: 'respond-async' });
  }
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${origin}/api/admin/packages/${id}/pause`, { method: 'POST', headers });
  if (!answer.ok) throw new Error(`package ${id} could not be paused: ${await answer.text()}`);
}

/** Buys repeatedly in waves. One purchase in five is refused. */
function crowd(origin: string, packageId: number, everyMs: number) {
  const ended = new AbortController();
  const { signal } = ended;
  const run = async () => {
    for (let buyer = 0; !signal.aborted; buyer++) {
      const email = `${buyer % 5 === 4 ? 'no-seat' : 'crowd'}${buyer}@example.com`;
      void buy(origin, packageId, { email, prefer: 'respond-async', signal }).catch(() => undefined);
      await sleep(everyMs * (1.2 + Math.sin(buyer / 6)), undefined, { signal }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    stop: () => {
      ended.abort();
      return running;
    },
  };
}
