import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sampleChange, sampleInventory, sampleOrder, samplePackage } from '../../test/contract/samples.ts';
import { audit } from '../audit/audit.ts';
import type { Order, OrderStatus } from '../domain/order.ts';
import { openSqliteStore, type SqliteStore } from '../storage/sqlite/sqlite-store.ts';
import { StoreUnavailableError } from '../storage/store.ts';
import { archive } from './archive.ts';
import { ArchiveFile } from './archive-file.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
const old = now - 31 * 86_400_000;
const clock = { now: () => now, monotonic: () => 0, sleep: async () => {} };

let folder: string;
let path: string;
let store: SqliteStore;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'archive-'));
  path = join(folder, 'orders.ndjson');
  store = openSqliteStore({ file: ':memory:' });
  await store.addPackages([samplePackage({ id: 1, quota: 5 }), samplePackage({ id: 2, quota: 5 })]);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function order(number: number, status: OrderStatus, at: number, packageId = 1): Order {
  const booked = status === 'confirmed' && {
    flight: { ticketNumber: `F${packageId}-${number}` },
    hotel: { reservationNumber: `H${packageId}-${number}` },
  };
  const timeline = [{ at, event: status === 'queued' ? ('queued' as const) : ('claimed' as const) }];
  return sampleOrder(number, { packageId, status, createdAt: at, timeline, ...booked });
}

/** Stores the orders of a package, with their reservations. */
async function fill(packageId: number, orders: readonly Order[]): Promise<void> {
  const { fence } = (await store.versionedPackage(packageId))!;
  const confirmed = orders.filter(({ status }) => status === 'confirmed');
  const waiting = orders.filter(({ status }) => status === 'queued').length;
  const counts = { confirmed: confirmed.length, remaining: 5 - confirmed.length, waiting };
  const inventory = sampleInventory({ ...counts, nextNumber: orders.length + 1 });
  await store.commit(packageId, fence, sampleChange({ inventory, inserted: [...orders] }));
  for (const { id, flight, hotel } of confirmed) {
    const entry = { key: id, status: 'active', subject: 'x', packageId } as const;
    await store.ledger.record('flights', { ...entry, number: flight?.ticketNumber ?? '' }, old);
    await store.ledger.record('hotels', { ...entry, number: hotel?.reservationNumber ?? '' }, old);
  }
}

async function run(through: typeof store = store): Promise<void> {
  const file = await ArchiveFile.open(path, 'store-1');
  try {
    await archive({ store: through, file, retentionDays: 30, clock, pageSize: 2 });
  } finally {
    await file.close();
  }
}

interface Line {
  readonly order?: Order;
  readonly reservation?: { readonly kind: string; readonly key: string };
  readonly change?: { readonly id: string };
  readonly session?: object;
}

function lines(): Line[] {
  const text = readFileSync(path, 'utf8').trim().split('\n');
  return text.map((line) => JSON.parse(line) as Line);
}

async function orderIds(): Promise<string[]> {
  const pages = await Promise.all([1, 2].map((id) => store.ordersPage(id, undefined, 99)));
  return pages.flatMap(({ items }) => items.map(({ id }) => id));
}

const suppliers = () => ({
  ledger: (kind: 'flights' | 'hotels', cursor?: string) => store.ledger.page(kind, cursor, 99),
});

const first = [
  order(1, 'confirmed', old),
  order(2, 'failed', old),
  order(3, 'failed', now),
  order(4, 'withdrawn', old),
  order(5, 'confirmed', now),
  order(6, 'queued', old),
];
const second = [order(1, 'cancelled', old, 2), order(2, 'confirmed', old, 2), order(3, 'rejected', old, 2)];
const expired = [first[0], first[1], first[3], ...second] as Order[];

describe('archiving', () => {
  test('Q1 Q5 Q8 moves expired orders and their reservations to the file, and the audit finds nothing', async () => {
    await fill(1, first);
    await fill(2, second);
    await run();
    expect(lines().flatMap(({ order }) => order ?? [])).toEqual(expired);
    const reserved = lines().flatMap(({ reservation }) => reservation ?? []);
    expect(reserved.map(({ kind, key }) => `${kind} ${key}`).sort()).toEqual(
      ['flights', 'hotels'].flatMap((kind) => [`${kind} ORDER-1-1`, `${kind} ORDER-2-2`]),
    );
    expect(await orderIds()).toEqual(['ORDER-1-3', 'ORDER-1-5', 'ORDER-1-6']);
    expect((await store.ledger.page('flights', undefined, 9)).items).toHaveLength(1);
    const report = await audit(store, { suppliers: suppliers() });
    expect(report).toMatchObject({ ok: true, orders: 3, findings: [] });
  });

  test('moves public reservations, changes and ended sessions that are old', async () => {
    const entry = { number: '', status: 'refused', subject: 'x', packageId: 1 } as const;
    await store.ledger.record('flights', { ...entry, key: 'public:old' }, old);
    await store.ledger.record('hotels', { ...entry, key: 'public:new' }, now);
    await store.ledger.record('hotels', { ...entry, key: 'public:undated' });
    await store.ledger.record('flights', { ...entry, key: 'no order' }, old);
    for (const [id, at] of [
      ['old', old],
      ['older', old - 1],
      ['older still', old - 2],
      ['new', now],
    ] as const) {
      await store.appendOperatorEvent({
        ...{ id, at, by: { name: 'admin', via: 'token' }, instance: 'one', action: 'package.pause' },
        ...{ target: { packageId: 1 }, outcome: 'open' },
      });
    }
    for (const [id, value] of [
      ['old', String(old)],
      ['new', String(now)],
      ['undated', 'ended'],
    ] as const)
      await store.setting(`ended-session:${id}`, () => value);
    await run();
    const found = lines();
    expect(found.flatMap(({ reservation }) => reservation?.key ?? [])).toEqual([
      'public:old',
      'public:undated',
    ]);
    expect(found.flatMap(({ change }) => change?.id ?? [])).toEqual(['old', 'older', 'older still']);
    expect(found.flatMap(({ session }) => session ?? [])).toEqual([{ id: 'old', endedAt: old }]);
    expect(await store.ledger.find('flights', 'public:old')).toBeUndefined();
    expect(await store.ledger.find('hotels', 'public:new')).toBeDefined();
    expect(await store.ledger.find('flights', 'no order')).toBeDefined();
    expect((await store.operatorEvents(undefined, 9)).items.map(({ id }) => id)).toEqual(['new']);
    expect(await store.settingsNamed('ended-session:')).toEqual(
      new Map([
        ['ended-session:new', String(now)],
        ['ended-session:undated', String(now)],
      ]),
    );
  });

  test('does nothing where nothing is old, and does not read past the first page of new orders', async () => {
    await fill(
      1,
      Array.from({ length: 9 }, (_, index) => order(index + 1, 'failed', now)),
    );
    let pages = 0;
    await run(
      wrapped({
        ordersPage: (...parameters: Parameters<SqliteStore['ordersPage']>) => {
          if (parameters[0] === 1) pages += 1;
          return store.ordersPage(...parameters);
        },
      }),
    );
    expect(pages).toBe(1);
    expect(lines()).toHaveLength(1);
  });

  test('reads past orders of a clock that was ahead', async () => {
    const ahead = now + 86_400_000;
    const times = [ahead, ahead, ahead, ahead, old];
    await fill(
      1,
      times.map((at, index) => order(index + 1, 'failed', at)),
    );
    await run();
    expect(await orderIds()).toEqual([1, 2, 3, 4].map((number) => `ORDER-1-${number}`));
  });

  test('an order that changes between its export and its removal stays, and is exported again', async () => {
    await fill(1, first);
    let isChanged = false;
    const { archive: archived } = store;
    const removeOrders: typeof archived.removeOrders = async (packageId, orders, reservations) => {
      if (!isChanged) {
        isChanged = true;
        const { fence, inventory } = (await store.versionedPackage(1))!;
        const updated = [{ ...first[0]!, email: 'erased-1@erased.invalid' }];
        await store.commit(1, fence, sampleChange({ inventory, erased: updated }));
      }
      return archived.removeOrders(packageId, orders, reservations);
    };
    await run(wrapped({ archive: wrappedArchive({ removeOrders }) }));
    expect(await orderIds()).toContain('ORDER-1-1');
    expect(await store.ledger.find('flights', 'ORDER-1-1')).toBeDefined();
    await run();
    const copies = lines().flatMap(({ order }) => (order?.id === 'ORDER-1-1' ? order : []));
    expect(copies.map(({ email }) => email)).toEqual(['buyer1@example.com', 'erased-1@erased.invalid']);
  });
});

describe('a run that ends at any step is continued by the next one', () => {
  /** The steps at which a process may be killed. Each is reached `count` times before the run ends there. */
  const steps = ['before the removal', 'after the removal'] as const;

  test.each(steps.flatMap((step) => [1, 2, 3, 4].map((count) => [step, count] as const)))(
    'Q1 %s of page %i: no order is lost, and each is exported once',
    async (step, count) => {
      await fill(1, first);
      await fill(2, second);
      let removals = 0;
      const { archive: archived } = store;
      const removeOrders: typeof archived.removeOrders = async (...parameters) => {
        removals += 1;
        if (removals === count && step === 'before the removal') throw new Error('killed');
        const removed = await archived.removeOrders(...parameters);
        if (removals === count) throw new Error('killed');
        return removed;
      };
      await expect(run(wrapped({ archive: wrappedArchive({ removeOrders }) }))).rejects.toThrow('killed');
      await run();
      expect(lines().flatMap(({ order }) => order ?? [])).toEqual(expired);
      expect(await orderIds()).toEqual(['ORDER-1-3', 'ORDER-1-5', 'ORDER-1-6']);
      expect(await audit(store, { suppliers: suppliers() })).toMatchObject({ ok: true, findings: [] });
    },
  );

  test('a store that is away for a while is waited for', async () => {
    await fill(1, first);
    let failures = 3;
    const { archive: archived } = store;
    const removeOrders: typeof archived.removeOrders = async (...parameters) => {
      if (failures-- > 0) throw new StoreUnavailableError('away');
      return archived.removeOrders(...parameters);
    };
    await run(wrapped({ archive: wrappedArchive({ removeOrders }) }));
    expect(await orderIds()).toEqual(['ORDER-1-3', 'ORDER-1-5', 'ORDER-1-6']);
  });

  test('a page that cannot be written is not removed', async () => {
    await fill(1, first);
    const file = { lastPage: [], append: () => Promise.reject(new Error('the disk is full')) };
    const run = archive({ store, file, retentionDays: 30, clock });
    await expect(run).rejects.toThrow('the disk is full');
    expect(await orderIds()).toHaveLength(first.length);
  });
});

/** The store with other methods. */
function wrapped(over: object): SqliteStore {
  return new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(name in over ? over : target, name) as unknown;
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

function wrappedArchive(over: Partial<SqliteStore['archive']>): SqliteStore['archive'] {
  const { archive: archived } = store;
  return new Proxy(archived, {
    get(target, name) {
      if (name in over) return Reflect.get(over, name);
      const member = Reflect.get(target, name) as unknown;
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
