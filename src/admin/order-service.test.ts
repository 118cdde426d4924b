import { describe, expect, it, vi } from 'vitest';
import { sampleChange, sampleOrder } from '../../test/contract/samples.ts';
import {
  type AdminBench,
  anOperator as by,
  openAdminBench,
} from '../../test/support/admin-service-fixture.ts';
import type { Order } from '../domain/order.ts';
import type { SqliteStore } from '../storage/sqlite/sqlite-store.ts';
import { UnreadableError } from '../storage/store.ts';
import type { ExportQuery } from './order-service.ts';

/** Stores orders directly, so that no engine works on them. */
async function stored({ store }: AdminBench, packageId: number, ...orders: Order[]): Promise<void> {
  const versioned = (await store.versionedPackage(packageId))!;
  const count = (status: Order['status']) => orders.filter((order) => order.status === status).length;
  const inventory = {
    ...versioned.inventory,
    held: count('held') + count('payable') + count('compensating'),
    cancelling: count('cancelling'),
    waiting: count('queued'),
  };
  await store.commit(packageId, versioned.fence, sampleChange({ inventory, inserted: orders }));
}

const held = (number: number, agoMs: number, over: Partial<Order> = {}): Order =>
  sampleOrder(number, {
    status: 'held',
    timeline: [{ at: Date.now() - agoMs, event: 'claimed' }],
    ...over,
  });

const numbersOf = (found: { items: readonly { order: Order }[] }) =>
  found.items.map(({ order: { packageId, number } }) => `${packageId}.${number}`);

describe('unhealthy orders', () => {
  it('are listed, stuck before slow and each oldest first, without queued orders', async () => {
    await using bench = await openAdminBench({ packages: [{ id: 1 }, { id: 2 }] });
    await stored(
      bench,
      1,
      ...[held(1, 6_000), held(2, 31_000), held(3, 1_000)],
      sampleOrder(4, { status: 'queued', timeline: [{ at: 0, event: 'queued' }] }),
      sampleOrder(5, { status: 'confirmed', timeline: [{ at: 0, event: 'confirmed' }] }),
    );
    const cancelling = held(1, 90_000, { packageId: 2, status: 'cancelling' });
    const at = Date.now() - 40_000;
    const timeline = [...cancelling.timeline, { at, event: 'cancel requested' } as const];
    await stored(bench, 2, { ...cancelling, timeline });
    const found = await bench.service.orders.list({ stuck: true });
    expect(numbersOf(found)).toEqual(['2.1', '1.2', '1.1']);
    expect(found.items.map(({ health }) => health)).toEqual(['stuck', 'stuck', 'slow']);
    expect(found.items[0]?.since).toBe(at);
    expect(numbersOf(await bench.service.orders.list({ stuck: true, packageId: 2 }))).toEqual(['2.1']);
    expect(numbersOf(await bench.service.orders.list({ stuck: true, status: 'held', limit: 1 }))).toEqual([
      '1.2',
    ]);
  });

  it('Q11 do not include payable orders before their time is over', async () => {
    await using bench = await openAdminBench({ packages: [{ id: 1 }] });
    const payable = (number: number, leftMs: number) => {
      const payment = {
        amount: 1,
        currency: 'EUR',
        url: 'https://pay.example/1',
        payBy: Date.now() + leftMs,
      };
      const timeline = [{ at: Date.now() - 90_000, event: 'payment due' } as const];
      return sampleOrder(number, { status: 'payable', payment, timeline });
    };
    await stored(bench, 1, payable(1, 60_000), payable(2, -10_000), payable(3, -40_000));
    const found = await bench.service.orders.list({ stuck: true });
    expect(found.items.map(({ order, health }) => [order.number, health])).toEqual([
      [3, 'stuck'],
      [2, 'slow'],
    ]);
  });
});

it('Q12 a search for unhealthy orders reads only the orders that have a saga, not their queue', async () => {
  const reads: unknown[] = [];
  await using bench = await openAdminBench({
    packages: [{ id: 1 }, { id: 2 }],
    through: (store) =>
      Object.assign(Object.create(store) as SqliteStore, {
        packagesWithUnfinished: () => store.packagesWithUnfinished(),
        package: (id: number) => store.package(id),
        versionedPackage: (id: number, selection: { readonly max: number }) => {
          reads.push([id, selection.max]);
          return store.versionedPackage(id, selection as never);
        },
      }),
  });
  const queued = (number: number, packageId: number) => sampleOrder(number, { packageId, status: 'queued' });
  await stored(bench, 1, held(1, 31_000), ...[2, 3, 4, 5].map((number) => queued(number, 1)));
  await stored(bench, 2, ...[1, 2, 3].map((number) => queued(number, 2)));
  expect(numbersOf(await bench.service.orders.list({ stuck: true }))).toEqual(['1.1']);
  expect(reads).toEqual([[1, 1]]);
});

describe('the list of orders', () => {
  it('shows each order once for any page size: package by package, newest first', async () => {
    await using bench = await openAdminBench({ packages: [{ id: 1 }, { id: 2 }, { id: 3 }] });
    await stored(bench, 1, ...[1, 2, 3].map((number) => sampleOrder(number)));
    await stored(bench, 3, ...[1, 2].map((number) => sampleOrder(number, { packageId: 3 })));
    for (const limit of [1, 2, 3, 50]) {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await bench.service.orders.list({ limit, ...(cursor === undefined ? {} : { cursor }) });
        seen.push(...numbersOf(page));
        cursor = page.next;
      } while (cursor !== undefined);
      expect(seen, `limit ${limit}`).toEqual(['1.3', '1.2', '1.1', '3.2', '3.1']);
    }
  });

  it('finds ended orders by status, and reads a limited number of orders for each page', async () => {
    await using bench = await openAdminBench();
    const orders = Array.from({ length: 2_500 }, (_, index) =>
      sampleOrder(index + 1, { status: index === 0 ? 'failed' : 'confirmed' }),
    );
    await stored(bench, 1, ...orders);
    const first = await bench.service.orders.list({ status: 'failed', packageId: 1 });
    expect(first).toEqual({ items: [], next: '1-501' });
    const second = await bench.service.orders.list({ status: 'failed', packageId: 1, cursor: '1-501' });
    expect(numbersOf(second)).toEqual(['1.1']);
    expect(second).not.toHaveProperty('next');
  });

  it('shows the oldest order first if only queued orders are requested', async () => {
    await using bench = await openAdminBench();
    const queued = [1, 2, 3].map((number) => sampleOrder(number));
    await stored(bench, 1, ...queued, sampleOrder(4, { status: 'confirmed' }));
    expect(numbersOf(await bench.service.orders.list({ status: 'queued', limit: 2 }))).toEqual([
      '1.1',
      '1.2',
    ]);
  });
});

describe('an order', () => {
  it('is cancelled under the conditions that hold for its buyer, and the log entry has no email', async () => {
    await using bench = await openAdminBench({ packages: [{ quota: 1 }] });
    const bought = await bench.engine.purchase({ packageId: 1, email: 'ana@example.com' });
    const { id } = (bought as { order: Order }).order;
    const { service } = bench;
    expect(await service.orders.cancel(by, id)).toMatchObject({ kind: 'refused', code: 'in_progress' });
    await vi.waitFor(() => bench.suppliers.answerFlight());
    await vi.waitFor(async () => expect((await service.orders.get(id))?.order.status).toBe('confirmed'));
    expect(await service.orders.cancel(by, id.toLowerCase())).toMatchObject({
      kind: 'done',
      value: { status: 'cancelling' },
    });
    const log = await bench.log();
    expect(log).toMatchObject([
      { target: { orderId: id, packageId: 1 }, before: { status: 'confirmed' }, outcome: 'done' },
      { before: { status: 'held' }, outcome: 'refused', code: 'in_progress' },
    ]);
    expect(JSON.stringify(log)).not.toContain('ana@');
  });

  it('is retried, unless it has ended or does not exist', async () => {
    await using bench = await openAdminBench({ packages: [{ quota: 1 }] });
    const bought = await bench.engine.purchase({ packageId: 1, email: 'ana@example.com' });
    const { id } = (bought as { order: Order }).order;
    const { service } = bench;
    expect(await service.orders.retry(by, id)).toMatchObject({ kind: 'done', value: { status: 'held' } });
    await vi.waitFor(() => bench.suppliers.answerFlight());
    await vi.waitFor(async () => expect((await service.orders.get(id))?.order.status).toBe('confirmed'));
    expect(await service.orders.retry(by, id)).toMatchObject({ code: 'not_retryable', order: { id } });
    for (const unknown of ['7Q4M-9XKD-2VBN-H5TR', 'ana@example.com']) {
      expect(await service.orders.retry(by, unknown)).toMatchObject({ code: 'unknown_order' });
      expect(await service.orders.get(unknown)).toBeUndefined();
    }
    expect(JSON.stringify(await bench.log())).not.toContain('ana@');
  });
});

describe('an export of orders', () => {
  /** Stores orders with the number that follows the last of them, as an owner does. */
  async function owned({ store }: AdminBench, packageId: number, ...inserted: Order[]): Promise<void> {
    const { fence, inventory } = (await store.versionedPackage(packageId))!;
    const nextNumber = Math.max(...inserted.map(({ number }) => number)) + 1;
    const change = sampleChange({ inventory: { ...inventory, nextNumber }, inserted });
    await store.commit(packageId, fence, change);
  }

  async function exported({ service }: AdminBench, query: ExportQuery = {}): Promise<string[]> {
    const names: string[] = [];
    for await (const page of service.orders.exportPages(query)) {
      for (const each of page) {
        if (each instanceof UnreadableError) names.push(`unreadable ${each.subject.orderId}`);
        else names.push(`${each.order.packageId}.${each.order.number}`);
      }
    }
    return names;
  }

  it('has all orders by package and number, or those of a package, a status and a time', async () => {
    await using bench = await openAdminBench({ packages: [{ id: 1 }, { id: 3 }] });
    const confirmed = { status: 'confirmed' } as const;
    const first = sampleOrder(1, { createdAt: 100 });
    await owned(bench, 1, first, sampleOrder(2, { ...confirmed, createdAt: 200 }));
    await owned(bench, 3, sampleOrder(1, { packageId: 3, ...confirmed, createdAt: 300 }));
    expect(await exported(bench)).toEqual(['1.1', '1.2', '3.1']);
    expect(await exported(bench, { packageId: 3 })).toEqual(['3.1']);
    expect(await exported(bench, { packageId: 9 })).toEqual([]);
    expect(await exported(bench, { status: 'confirmed' })).toEqual(['1.2', '3.1']);
    expect(await exported(bench, { from: 200 })).toEqual(['1.2', '3.1']);
    expect(await exported(bench, { to: 200 })).toEqual(['1.1']);
    expect(await exported(bench, { from: 200, to: 300, status: 'confirmed' })).toEqual(['1.2']);
  });

  it('reads a page when it is wanted, and none after it is left', async () => {
    let reads = 0;
    await using bench = await openAdminBench({
      through: (store) =>
        Object.assign(Object.create(store) as SqliteStore, {
          packageWithOrdersAbove: (id: number) => store.packageWithOrdersAbove(id),
          package: (id: number) => store.package(id),
          ordersPage: (id: number, cursor: string | undefined, limit: number) => {
            reads += 1;
            return store.ordersPage(id, cursor, limit);
          },
        }),
    });
    await owned(bench, 1, ...Array.from({ length: 600 }, (_, index) => sampleOrder(index + 1)));
    const pages = bench.service.orders.exportPages({});
    expect(reads).toBe(0);
    expect((await pages.next()).value).toHaveLength(250);
    expect(reads).toBe(1);
    await pages.return(undefined);
    expect((await pages.next()).done).toBe(true);
    expect(reads).toBe(1);
  });

  it('reads one page at a time, however many exports there are', async () => {
    let underWay = 0;
    let most = 0;
    await using bench = await openAdminBench({
      through: (store) =>
        Object.assign(Object.create(store) as SqliteStore, {
          packageWithOrdersAbove: (id: number) => store.packageWithOrdersAbove(id),
          package: (id: number) => store.package(id),
          ordersPage: async (id: number, cursor: string | undefined, limit: number) => {
            most = Math.max(most, ++underWay);
            const page = await store.ordersPage(id, cursor, limit);
            await new Promise(setImmediate);
            underWay -= 1;
            return page;
          },
        }),
    });
    await owned(bench, 1, ...Array.from({ length: 300 }, (_, index) => sampleOrder(index + 1)));
    const all = await Promise.all(Array.from({ length: 5 }, () => exported(bench)));
    expect(all.map((names) => names.length)).toEqual([300, 300, 300, 300, 300]);
    expect(most).toBe(1);
  });

  it('names an order that cannot be read, whatever is asked for', async () => {
    const spoilt = new UnreadableError({ packageId: 1, orderId: 'ORDER-1-2' });
    await using bench = await openAdminBench({
      through: (store) =>
        Object.assign(Object.create(store) as SqliteStore, {
          packageWithOrdersAbove: (id: number) => store.packageWithOrdersAbove(id),
          package: (id: number) => store.package(id),
          ordersPage: async (id: number, cursor: string | undefined, limit: number) => ({
            ...(await store.ordersPage(id, cursor, limit)),
            unreadable: [spoilt],
          }),
        }),
    });
    await owned(bench, 1, sampleOrder(1));
    expect(await exported(bench, { status: 'confirmed' })).toEqual(['unreadable ORDER-1-2']);
  });
});
