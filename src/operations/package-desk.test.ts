import { describe, expect, it } from 'vitest';
import { packageIdMax } from '../domain/travel-package.ts';
import { anOperator as by, setOperations } from '../testing/support/operations-bench.ts';

const wish = { flight: 'Flight-9', stay: '2030-01-01', price: 5, quota: 3 };

describe('creating', () => {
  it('takes the next free id, and whoever asks can buy at once', async () => {
    await using bench = await setOperations({ packages: [{ id: 7 }] });
    const created = await bench.operations.create(by, wish);
    expect(created).toEqual({ kind: 'done', value: { id: 8, ...wish, version: 1 } });
    expect(await bench.engine.purchase({ packageId: 8, email: 'a@example.com' })).toMatchObject({
      kind: 'accepted',
    });
    expect(await bench.log()).toMatchObject([
      { action: 'package.create', wish, after: { id: 8, quota: 3 }, outcome: 'done', by },
    ]);
  });

  it('takes the first gap when the last id of all is taken', async () => {
    await using bench = await setOperations({ packages: [{ id: 1 }, { id: 2 }, { id: packageIdMax }] });
    expect(await bench.operations.create(by, wish)).toMatchObject({ value: { id: 3 } });
    expect(await bench.operations.packages()).toHaveLength(4);
  });

  it('gives each of many who ask at once a package of their own', async () => {
    await using bench = await setOperations();
    const created = await Promise.all(
      Array.from({ length: 5 }, () => bench.operations.create(by, { ...wish })),
    );
    const ids = created.map((outcome) => (outcome.kind === 'done' ? outcome.value.id : outcome.code));
    expect(ids.sort()).toEqual([2, 3, 4, 5, 6]);
  });

  it('refuses an id that is taken and a sale that closes before it opens, and logs both', async () => {
    await using bench = await setOperations();
    const { operations } = bench;
    expect(await operations.create(by, { ...wish, id: 1 })).toMatchObject({ code: 'package_exists' });
    expect(await operations.create(by, { ...wish, opensAt: 5, closesAt: 5 })).toMatchObject({
      code: 'invalid',
    });
    expect(await bench.log()).toMatchObject([
      { outcome: 'refused', code: 'invalid' },
      { outcome: 'refused', code: 'package_exists', target: { packageId: 1 } },
    ]);
    expect(await bench.store.packages()).toHaveLength(1);
  });
});

describe('changing', () => {
  it('goes by the version that was read, and logs before and after', async () => {
    await using bench = await setOperations({ packages: [{ quota: 2 }] });
    const { operations } = bench;
    const amended = await operations.amend(by, 1, { version: 1, quota: 9, price: 7 });
    expect(amended).toMatchObject({ kind: 'done', value: { quota: 9, price: 7, version: 2 } });
    expect(await operations.amend(by, 1, { version: 1, quota: 1 })).toMatchObject({
      code: 'version_conflict',
    });
    expect(await operations.amend(by, 99, { version: 1, quota: 1 })).toMatchObject({
      code: 'unknown_package',
    });
    const [, conflict, done] = await bench.log();
    expect(done).toMatchObject({ before: { quota: 2, version: 1 }, after: { quota: 9, version: 2 } });
    expect(conflict).toMatchObject({ outcome: 'refused', before: { quota: 9 }, wish: { quota: 1 } });
  });

  it('pauses and resumes whatever the version, and repeats without harm', async () => {
    await using bench = await setOperations();
    const { operations, engine } = bench;
    for (let each = 0; each < 2; each++) {
      expect(await operations.pause(by, 1, true)).toMatchObject({ value: { paused: true, version: 2 } });
    }
    expect(await engine.purchase({ packageId: 1, email: 'a@example.com' })).toMatchObject({ code: 'paused' });
    expect(await operations.package(1)).toMatchObject({ obstacle: 'paused' });
    const resumed = await operations.pause(by, 1, false);
    expect(resumed).toMatchObject({ value: { version: 3 } });
    expect(resumed).not.toHaveProperty('value.paused');
    expect((await bench.log()).map(({ action }) => action)).toEqual([
      'package.resume',
      'package.pause',
      'package.pause',
    ]);
    expect(await operations.pause(by, 99, true)).toMatchObject({ code: 'unknown_package' });
  });
});

describe('packages', () => {
  it('show who owns them and how busy that was', async () => {
    await using bench = await setOperations({ packages: [{ id: 1, quota: 2 }, { id: 2 }] });
    await bench.engine.purchase({ packageId: 1, email: 'a@example.com' });
    const [bought, quiet] = await bench.operations.packages();
    expect(bought).toMatchObject({
      owner: { instance: 'one', epoch: 1, state: 'active' },
      figures: { held: 1 },
      waitersMax: 8,
    });
    expect(bought?.activity?.recent.purchasesPerS).toBeGreaterThan(0);
    expect(quiet).not.toHaveProperty('owner');
    expect(quiet).not.toHaveProperty('activity');
  });

  it.each([
    ['one', 'idle'],
    ['somebody who left', 'gone'],
  ] as const)('owned by %s that says nothing of it are %s', async (instance, state) => {
    await using bench = await setOperations();
    await bench.store.takeOwnership(1, instance);
    expect(await bench.operations.package(1)).toMatchObject({ owner: { instance, state } });
    expect(await bench.operations.package(99)).toBeUndefined();
  });
});
