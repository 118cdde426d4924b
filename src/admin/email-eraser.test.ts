import { describe, expect, it } from 'vitest';
import { sampleChange, sampleOrder } from '../../test/contract/samples.ts';
import {
  type AdminBench,
  anOperator as by,
  openAdminBench,
} from '../../test/support/admin-service-fixture.ts';
import type { Order } from '../domain/order.ts';
import type { SqliteStore } from '../storage/sqlite/sqlite-store.ts';
import { emailHashOf, revealsEmail } from './email-eraser.ts';

const email = 'ana.lee@example.com';

/** Stores orders before any owner has read the package. */
async function stored({ store }: AdminBench, packageId: number, ...orders: Order[]): Promise<void> {
  const { fence, inventory } = (await store.versionedPackage(packageId))!;
  await store.commit(packageId, fence, sampleChange({ inventory, inserted: orders }));
}

describe('erasing', () => {
  it('takes an email out of every order that has ended, in every package', async () => {
    await using bench = await openAdminBench({ packages: [{ id: 1 }, { id: 2 }] });
    const ended = (['confirmed', 'failed', 'rejected', 'withdrawn', 'cancelled'] as const).map(
      (status, index) => sampleOrder(index + 1, { status, email }),
    );
    const others = sampleOrder(6, { status: 'confirmed' });
    await stored(bench, 1, ...ended, others);
    await stored(bench, 2, sampleOrder(1, { packageId: 2, status: 'confirmed', email }));
    expect(await bench.service.eraser.erase(by, email)).toEqual({
      kind: 'done',
      value: { erased: 6, left: 0 },
    });
    const { items } = await bench.store.ordersPage(1, undefined, 10);
    expect(items.at(-1)).toStrictEqual(others);
    const placeholders = items.slice(0, 5).map((order) => order.email);
    for (const each of placeholders) expect(each).toMatch(/^erased-[0-9a-f]{32}@erased\.invalid$/);
    // Each order has its own placeholder, so nothing shows that they belong to one person.
    expect(new Set(placeholders).size).toBe(5);
    expect(items.map(({ key }) => key)).toEqual([1, 2, 3, 4, 5, 6].map((number) => `key-${number}`));
    expect(await bench.service.eraser.erase(by, email)).toMatchObject({ value: { erased: 0, left: 0 } });
  });

  it('leaves and counts unfinished orders, and erases their email the next time', async () => {
    await using bench = await openAdminBench({ packages: [{ quota: 1 }] });
    const queued = sampleOrder(2, { email, key: `cart of ${email}` });
    await stored(bench, 1, sampleOrder(1, { email, status: 'confirmed' }), queued);
    expect(await bench.service.eraser.erase(by, email)).toMatchObject({ value: { erased: 1, left: 1 } });
    expect((await bench.store.order(queued.id))?.email).toBe(email);
    await bench.engine.cancel(queued);
    expect(await bench.service.eraser.erase(by, email)).toMatchObject({ value: { erased: 1, left: 0 } });
    expect((await bench.store.order(queued.id))?.key).toMatch(/^erased-[0-9a-f]{32}$/);
  });

  it('erases an email that has more orders than one page holds', async () => {
    await using bench = await openAdminBench();
    const orders = Array.from({ length: 4_300 }, (_, index) =>
      sampleOrder(index + 1, { status: 'failed', ...(index % 20 === 0 ? { email } : {}) }),
    );
    await stored(bench, 1, ...orders);
    expect(await bench.service.eraser.erase(by, email)).toMatchObject({ value: { erased: 215, left: 0 } });
  });

  it('reads only the orders of the email, from their index', async () => {
    const through = (store: SqliteStore) =>
      new Proxy(store, {
        get(target, name) {
          if (['packages', 'ordersPage', 'ordersBelow'].includes(String(name))) throw new Error(String(name));
          const member = Reflect.get(target, name) as unknown;
          return typeof member === 'function' ? member.bind(target) : member;
        },
      });
    await using bench = await openAdminBench({ through });
    await stored(bench, 1, sampleOrder(1, { email, status: 'confirmed' }), sampleOrder(2));
    expect(await bench.service.eraser.erase(by, email)).toMatchObject({ value: { erased: 1, left: 0 } });
  });

  it('Q12 erases the email in the other packages when an owner does not answer', async () => {
    await using bench = await openAdminBench({ packages: [{ id: 1 }, { id: 2 }, { id: 3 }] });
    for (const packageId of [1, 2, 3]) {
      await stored(bench, packageId, sampleOrder(1, { packageId, email, status: 'confirmed' }));
    }
    const erase = bench.engine.erase.bind(bench.engine);
    bench.engine.erase = async (packageId, ...more) =>
      packageId === 2 ? { kind: 'refused', code: 'no_owner' } : erase(packageId, ...more);
    expect(await bench.service.eraser.erase(by, email)).toEqual({ kind: 'refused', code: 'no_owner' });
    const { items } = await bench.store.ordersByEmail(email, undefined, 9);
    expect(items.map(({ packageId }) => packageId)).toEqual([2]);
  });

  it('is logged under a keyed hash, without the email', async () => {
    await using bench = await openAdminBench();
    await stored(bench, 1, sampleOrder(1, { email, status: 'confirmed', key: email }));
    await bench.service.eraser.erase(by, email);
    const log = await bench.log();
    expect(log).toMatchObject([
      { target: { emailHash: emailHashOf('a secret', email) }, after: { erased: 1, left: 0 } },
    ]);
    expect(JSON.stringify(log)).not.toContain('ana');
    expect(emailHashOf('another secret', email)).not.toBe(emailHashOf('a secret', email));
  });

  it('is refused if a package’s owner does not answer', async () => {
    const refused = { kind: 'refused', code: 'no_owner' } as const;
    await using bench = await openAdminBench();
    await stored(bench, 1, sampleOrder(1, { email, status: 'confirmed' }));
    bench.engine.erase = async () => refused;
    expect(await bench.service.eraser.erase(by, email)).toEqual(refused);
    expect(await bench.log()).toMatchObject([{ outcome: 'failed', code: 'no_owner' }]);
  });
});

it.each([
  ['ana.lee@example.com-1', true],
  ['somebody%40example.org', true],
  ['cart-ANA.LEE-7', true],
  ['3f2504e0-4f89-41d3-9a0c-0305e82c3301', false],
  ['order-0001', false],
])('the key %s contains the email: %s', (key, tells) => {
  expect(revealsEmail(key, email)).toBe(tells);
  // A short local part such as `ana` occurs in too many other words.
  expect(revealsEmail('banana-split', 'ana@example.com')).toBe(false);
});
