import { expect } from 'vitest';
import { audit } from '../../src/audit/audit.ts';
import { type Order, type OrderStatus, orderIdBytes, orderIdFrom } from '../../src/domain/order.ts';
import type { TravelPackage } from '../../src/domain/travel-package.ts';
import type { BookingEngine, PurchaseRequest } from '../../src/engine/engine.ts';
import type { StrategyOptions } from '../../src/engine/strategies/strategy-engine.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { silentLog } from '../../src/observability/log.ts';
import { type LiveBus, localLiveBus } from '../../src/realtime/live-bus.ts';
import { openSqliteStore, type SqliteStore } from '../../src/storage/sqlite/sqlite-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { resilientSuppliers } from '../../src/suppliers/resilient-suppliers.ts';
import { simulatedSuppliers } from '../../src/suppliers/simulated-suppliers.ts';
import type { SupplierClient } from '../../src/suppliers/suppliers.ts';
import { fakeOrder } from './fake-engine.ts';
import { onSale } from './server.ts';

export type FixtureStore = Store & Pick<SqliteStore, 'ledger' | 'archive'>;

/** A store with simulated suppliers, for several lock or queue engines in one process. */
export interface StrategyFixture {
  readonly store: FixtureStore;
  readonly liveBus: LiveBus;
  readonly suppliers: SupplierClient;
  /** Options of an engine, with overrides. */
  options(over?: Partial<StrategyOptions>): StrategyOptions;
  /** All orders of package 1, by number. */
  orders(...statuses: OrderStatus[]): Promise<Order[]>;
  /** Stores orders of package 1 without running sagas, as a process that died leaves them. Returns the last one. */
  leave(status: 'held' | 'compensating', count?: number): Promise<Order>;
  /** Expects that an audit finds no problem, and that no booking or cancellation is unfinished. */
  expectCleanAudit(): Promise<void>;
  close(): Promise<void>;
}

export interface StrategyFixtureOptions {
  /** An empty store; without it, SQLite in memory. The fixture closes it. */
  readonly store?: FixtureStore;
  readonly package?: Partial<TravelPackage>;
  readonly flightFailureRate?: number;
  readonly hotelFailureRate?: number;
  readonly latencyMs?: number;
}

export async function openStrategyFixture(options: StrategyFixtureOptions = {}): Promise<StrategyFixture> {
  const { store = openSqliteStore({ file: ':memory:' }) } = options;
  await store.addPackages([onSale(options.package)]);
  const base = { clock: systemClock, random: systemRandom() };
  const { flightFailureRate = 0, hotelFailureRate = 0, latencyMs = 0 } = options;
  const chances = { flightFailureRate, hotelFailureRate, latencyMs };
  const client = simulatedSuppliers({ ...base, ...chances, ledger: store.ledger });
  const suppliers = resilientSuppliers({ ...base, client, log: silentLog, timeoutMs: 2_000 });
  const liveBus = localLiveBus();
  const orders = async (...statuses: OrderStatus[]) => {
    const { items } = await store.ordersPage(1, undefined, 100_000);
    return items.filter(({ status }) => statuses.length === 0 || statuses.includes(status));
  };
  return {
    store,
    liveBus,
    suppliers: client,
    orders,
    options: (over) => ({
      ...{ ...base, store, suppliers, liveBus, log: silentLog, snapshotMaxAgeMs: 250 },
      rules: { waitersPerUnit: 1_000, waitersMax: 100_000, ordersPerEmail: 0 },
      ...over,
    }),
    async leave(status, count = 1) {
      const { fence, inventory } = (await store.versionedPackage(1))!;
      const { remaining, held, nextNumber } = inventory;
      const inserted = Array.from({ length: count }, (_, each) => {
        const id = orderIdFrom(base.clock.now(), base.random.bytes(orderIdBytes));
        return fakeOrder({ id, number: nextNumber + each, status });
      });
      const moved = {
        ...{ ...inventory, remaining: remaining - count, held: held + count, nextNumber: nextNumber + count },
      };
      await store.commit(1, fence, { inventory: moved, inserted, updated: [] });
      return inserted.at(-1)!;
    },
    async expectCleanAudit() {
      const report = await audit(store, { suppliers: client });
      expect(report.findings).toEqual([]);
      expect(await orders('held', 'compensating', 'cancelling')).toEqual([]);
    },
    async close() {
      suppliers.close();
      await store.close();
    },
  };
}

/** Buys and waits for the outcome. Returns the final status, or the code of the refusal. */
export async function outcomeOf(
  engine: BookingEngine,
  request: Partial<PurchaseRequest> = {},
  waitMs = 20_000,
): Promise<string> {
  const answer = await engine.purchase({ packageId: 1, email: 'a@example.com', ...request });
  if (answer.kind === 'refused') return answer.code;
  return (await engine.outcome(answer.order, { waitMs })).status;
}

/** Buys. @throws Error if the purchase is refused. */
export async function bought(engine: BookingEngine, request: Partial<PurchaseRequest> = {}): Promise<Order> {
  const answer = await engine.purchase({ packageId: 1, email: 'a@example.com', ...request });
  if (answer.kind === 'refused') throw new Error(`refused: ${answer.code}`);
  return answer.order;
}

/** Counts equal strings. */
export function countEach(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
