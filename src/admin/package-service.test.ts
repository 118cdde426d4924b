import { describe, expect, it, vi } from 'vitest';
import {
  type AdminBench,
  anOperator as by,
  openAdminBench,
} from '../../test/support/admin-service-fixture.ts';
import { allPackages, packagesOf } from '../../test/support/all-packages.ts';
import type { Accepted, Fence } from '../domain/messages.ts';
import { packageIdMax } from '../domain/travel-package.ts';
import { CommitUnknownError } from '../storage/store.ts';

const params = { flight: 'Flight-9', stay: '2030-01-01', price: 5, quota: 3 };

const current = { group: 'current', limit: 100 } as const;

describe('creating', () => {
  it('gives the package the next free id, and the package can be bought at once', async () => {
    await using bench = await openAdminBench({ packages: [{ id: 7 }] });
    const created = await bench.service.packages.create(by, params);
    expect(created).toEqual({ kind: 'done', value: { id: 8, ...params, version: 1 } });
    expect(await bench.engine.purchase({ packageId: 8, email: 'a@example.com' })).toMatchObject({
      kind: 'accepted',
    });
    expect(await bench.log()).toMatchObject([
      { action: 'package.create', wish: params, after: { id: 8, quota: 3 }, outcome: 'done', by },
    ]);
  });

  it('uses the first unused id once the highest possible id is taken', async () => {
    await using bench = await openAdminBench({ packages: [{ id: 1 }, { id: 2 }, { id: packageIdMax }] });
    expect(await bench.service.packages.create(by, params)).toMatchObject({ value: { id: 3 } });
    expect((await bench.service.packages.list(current)).total).toBe(4);
  });

  it('gives concurrent requests different ids', async () => {
    await using bench = await openAdminBench();
    const created = await Promise.all(
      Array.from({ length: 5 }, () => bench.service.packages.create(by, { ...params })),
    );
    const ids = created.map((outcome) => (outcome.kind === 'done' ? outcome.value.id : outcome.code));
    expect(ids.sort()).toEqual([2, 3, 4, 5, 6]);
  });

  it('refuses an id that is taken and a sale that closes before it opens, and logs both', async () => {
    await using bench = await openAdminBench();
    const { service } = bench;
    expect(await service.packages.create(by, { ...params, id: 1 })).toMatchObject({ code: 'package_exists' });
    expect(await service.packages.create(by, { ...params, opensAt: 5, closesAt: 5 })).toMatchObject({
      code: 'invalid',
    });
    expect(await bench.log()).toMatchObject([
      { outcome: 'refused', code: 'invalid' },
      { outcome: 'refused', code: 'package_exists', target: { packageId: 1 } },
    ]);
    expect(await allPackages(bench.store)).toHaveLength(1);
  });
});

describe('changing', () => {
  it('is refused for an outdated version, and logs the values before and after', async () => {
    await using bench = await openAdminBench({ packages: [{ quota: 2 }] });
    const { service } = bench;
    const updated = await service.packages.update(by, 1, { version: 1, quota: 9, price: 7 });
    expect(updated).toMatchObject({ kind: 'done', value: { quota: 9, price: 7, version: 2 } });
    expect(await service.packages.update(by, 1, { version: 1, quota: 1 })).toMatchObject({
      code: 'version_conflict',
    });
    expect(await service.packages.update(by, 99, { version: 1, quota: 1 })).toMatchObject({
      code: 'unknown_package',
    });
    const [, conflict, done] = await bench.log();
    expect(done).toMatchObject({ before: { quota: 2, version: 1 }, after: { quota: 9, version: 2 } });
    expect(conflict).toMatchObject({ outcome: 'refused', before: { quota: 9 }, wish: { quota: 1 } });
  });

  it('pauses and resumes without a version, and can be repeated', async () => {
    await using bench = await openAdminBench();
    const { service, engine } = bench;
    for (let each = 0; each < 2; each++) {
      expect(await service.packages.setPaused(by, 1, true)).toMatchObject({
        value: { paused: true, version: 2 },
      });
    }
    expect(await engine.purchase({ packageId: 1, email: 'a@example.com' })).toMatchObject({ code: 'paused' });
    expect(await service.packages.get(1)).toMatchObject({ obstacle: 'paused' });
    const resumed = await service.packages.setPaused(by, 1, false);
    expect(resumed).toMatchObject({ value: { version: 3 } });
    expect(resumed).not.toHaveProperty('value.paused');
    expect((await bench.log()).map(({ action }) => action)).toEqual([
      'package.resume',
      'package.pause',
      'package.pause',
    ]);
    expect(await service.packages.setPaused(by, 99, true)).toMatchObject({ code: 'unknown_package' });
  });
});

describe('archiving', () => {
  const buy = async (bench: AdminBench, email: string) =>
    (await bench.engine.purchase({ packageId: 1, email })) as Accepted;

  it('is refused until the sale and all orders have ended, and cannot be undone', async () => {
    await using bench = await openAdminBench({ packages: [{ quota: 1 }] });
    const { service, engine, store } = bench;
    const bought = await buy(bench, 'a@example.com');
    expect(await service.packages.archive(by, 1)).toMatchObject({ code: 'sale_not_ended' });
    await service.packages.setPaused(by, 1, true);
    expect(await service.packages.archive(by, 1)).toMatchObject({ code: 'sale_not_ended' });
    await vi.waitFor(() => bench.suppliers.answerFlight());
    await vi.waitFor(async () => expect((await store.order(bought.order.id))?.status).toBe('confirmed'));
    for (let each = 0; each < 2; each++) {
      expect(await service.packages.archive(by, 1)).toMatchObject({ value: { archived: true, version: 3 } });
    }
    expect(await service.packages.setPaused(by, 1, false)).toEqual({ kind: 'refused', code: 'sale_closed' });
    expect(await buy(bench, 'b@example.com')).toMatchObject({ kind: 'refused', code: 'sale_closed' });
    expect(await engine.cancel((await store.order(bought.order.id))!)).toMatchObject({ kind: 'accepted' });
    expect(await service.packages.archive(by, 99)).toMatchObject({ code: 'unknown_package' });
    expect((await bench.log()).map(({ action, outcome }) => `${action} ${outcome}`)).toContain(
      'package.archive done',
    );
  });

  it('is possible for a sale that has closed', async () => {
    await using bench = await openAdminBench({ packages: [{ closesAt: 1 }, { id: 2, opensAt: 9e15 }] });
    expect(await bench.service.packages.archive(by, 1)).toMatchObject({ kind: 'done' });
    expect(await bench.service.packages.archive(by, 2)).toMatchObject({ code: 'sale_not_ended' });
  });
});

describe('deleting', () => {
  it('removes a package that nobody has ordered, and logs it', async () => {
    await using bench = await openAdminBench({ packages: [{ id: 1 }, { id: 2 }] });
    const { service, engine } = bench;
    await service.packages.update(by, 1, { version: 1, price: 7 });
    expect(await service.packages.delete(by, 1)).toMatchObject({ kind: 'done' });
    expect((await packagesOf(engine)).map((each) => each.package.id)).toEqual([2]);
    expect(await engine.package(1)).toBeUndefined();
    expect(await engine.purchase({ packageId: 1, email: 'a@example.com' })).toEqual({
      ...{ kind: 'refused', code: 'unknown_package' },
    });
    expect(await service.packages.delete(by, 1)).toMatchObject({ code: 'unknown_package' });
    const [again, done] = await bench.log();
    expect(again).toMatchObject({ action: 'package.delete', outcome: 'refused', code: 'unknown_package' });
    expect(done).toMatchObject({ action: 'package.delete', outcome: 'done', before: { price: 7 } });
  });

  it('Q6 never removes a package that is ordered at the same time', async () => {
    const ids = Array.from({ length: 20 }, (_, index) => index + 1);
    await using bench = await openAdminBench({ packages: ids.map((id) => ({ id, quota: 3 })) });
    const { service, engine, store } = bench;
    // An update gives half of the packages an owner.
    for (const id of ids.slice(10)) await service.packages.update(by, id, { version: 1, price: 7 });
    const answers = await Promise.all(
      ids.map(async (id) => {
        const email = `buyer${id}@example.com`;
        const [bought, removed] = await Promise.all([
          engine.purchase({ packageId: id, email }),
          new Promise((go) => setImmediate(go)).then(() => service.packages.delete(by, id)),
        ]);
        if (bought.kind === 'accepted') {
          expect(removed).toMatchObject({ code: 'package_not_empty' });
          expect(await store.order(bought.order.id)).toBeDefined();
        } else {
          expect([bought.code, removed.kind]).toEqual(['unknown_package', 'done']);
        }
        expect((await store.package(id)) !== undefined).toBe(bought.kind === 'accepted');
        return bought.kind;
      }),
    );
    expect(answers).toHaveLength(ids.length);
  });

  it('Q9 leaves the id of the package unused, because an old page or owner may still know it', async () => {
    await using bench = await openAdminBench({ packages: [{ id: 1 }, { id: 2 }] });
    const { service, store } = bench;
    const params = { flight: 'F', stay: '2030-01-01', price: 1, quota: 1 };
    expect(await service.packages.delete(by, 2)).toMatchObject({ kind: 'done' });
    expect(await service.packages.create(by, { ...params, id: 2 })).toMatchObject({ code: 'package_exists' });
    expect(await service.packages.create(by, params)).toMatchObject({ value: { id: 3 } });
    expect((await allPackages(store)).map((each) => each.package.id)).toEqual([1, 3]);
  });

  it('finds out whether a removal was applied if the store’s answer is lost', async () => {
    let isLost = true;
    await using bench = await openAdminBench({
      through: (store) =>
        new Proxy(store, {
          get(target, name) {
            if (name === 'removePackage' && isLost) {
              return async (id: number, fence: Fence) => {
                isLost = false;
                await target.removePackage(id, fence);
                throw new CommitUnknownError('lost');
              };
            }
            const value = Reflect.get(target, name);
            return typeof value === 'function' ? value.bind(target) : value;
          },
        }),
    });
    expect(await bench.service.packages.delete(by, 1)).toMatchObject({ kind: 'done' });
    expect(await allPackages(bench.store)).toEqual([]);
  });

  it('makes an uninformed owner refuse purchases, and the owner does not count as replaced', async () => {
    const fencedFor: number[] = [];
    await using bench = await openAdminBench({ onFenced: (id) => fencedFor.push(id) });
    const { engine, store, service } = bench;
    await service.packages.update(by, 1, { version: 1, price: 7 });
    await store.removePackage(1, (await store.versionedPackage(1))!.fence);
    const late = () => engine.purchase({ packageId: 1, email: 'a@example.com' });
    expect(await late()).toMatchObject({ code: 'unknown_package' });
    expect(await packagesOf(engine)).toEqual([]);
    expect([await late(), fencedFor]).toMatchObject([{ code: 'unknown_package' }, []]);
  });
});

describe('packages', () => {
  it('are listed with their owner and the owner’s activity', async () => {
    await using bench = await openAdminBench({ packages: [{ id: 1, quota: 2 }, { id: 2 }] });
    await bench.engine.purchase({ packageId: 1, email: 'a@example.com' });
    const {
      items: [bought, quiet],
    } = await bench.service.packages.list(current);
    expect(bought).toMatchObject({
      owner: { instance: 'one', epoch: 1, state: 'active' },
      inventory: { held: 1 },
      waitersMax: 8,
    });
    expect(bought?.activity?.recent.purchasesPerS).toBeGreaterThan(0);
    expect(quiet).not.toHaveProperty('owner');
    expect(quiet).not.toHaveProperty('activity');
  });

  it.each([
    ['one', 'idle'],
    ['somebody who left', 'gone'],
  ] as const)('whose owner is %s and reports nothing are %s', async (instance, state) => {
    await using bench = await openAdminBench();
    await bench.store.takeOwnership(1, instance);
    expect(await bench.service.packages.get(1)).toMatchObject({ owner: { instance, state } });
    expect(await bench.service.packages.get(99)).toBeUndefined();
  });
});
