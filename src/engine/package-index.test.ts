import { beforeEach, describe, expect, test, vi } from 'vitest';
import { fakeSnapshot } from '../../test/support/fake-engine.ts';
import type { Inventory, PackageSnapshot, TravelPackage } from '../domain/travel-package.ts';
import { PackageIndex } from './package-index.ts';

let packages: Map<number, PackageSnapshot>;
let index: PackageIndex;
let turns: number;

beforeEach(() => {
  packages = new Map();
  turns = 0;
  index = new PackageIndex(
    (id) => packages.get(id),
    async () => {
      turns += 1;
    },
  );
});

function set(id: number, change: Partial<TravelPackage> = {}, inventory: Partial<Inventory> = {}): void {
  const before = packages.get(id);
  const { package: added, inventory: full } = before ?? fakeSnapshot({ id, quota: 3 });
  packages.set(id, { package: { ...added, ...change }, inventory: { ...full, ...inventory } });
  index.change(id, before, packages.get(id));
}

function remove(id: number): void {
  const before = packages.get(id);
  packages.delete(id);
  index.change(id, before, undefined);
}

describe('the index of packages', () => {
  test('has all ids after each of many additions without a look at every package', () => {
    const look = vi.spyOn(packages, 'get');
    for (let id = 1; id <= 1_000; id++) {
      set(id);
      index.ids('all');
    }
    expect(index.ids('all')).toHaveLength(1_000);
    expect(look.mock.calls.length).toBeLessThan(5_000);
  });

  test('has the sorted ids of each group after every change', () => {
    for (const id of [5, 2, 9]) set(id);
    expect(index.ids('all')).toEqual([2, 5, 9]);
    set(9, { listed: false });
    set(5, { archived: true });
    set(1);
    expect(index.ids('all')).toEqual([1, 2, 5, 9]);
    expect(index.ids('listed')).toEqual([1, 2]);
    expect(index.ids('current')).toEqual([1, 2, 9]);
    expect(index.ids('archived')).toEqual([5]);
    set(9, { listed: true });
    remove(2);
    expect(index.ids('listed')).toEqual([1, 9]);
  });

  test('has the sums of current and of archived packages, and the busy packages', () => {
    set(1, {}, { remaining: 1, held: 2, waiting: 4 });
    set(2);
    set(3, { archived: true }, { remaining: 0, confirmed: 3 });
    const current = { quota: 6, remaining: 4, held: 2, confirmed: 0, cancelling: 0, waiting: 4 };
    expect(index.totals('current')).toEqual(current);
    expect(index.totals('archived')).toMatchObject({ quota: 3, confirmed: 3, remaining: 0 });
    expect(index.busy().map((each) => each.package.id)).toEqual([1]);
    set(1, {}, { remaining: 3, held: 0, waiting: 0 });
    expect(index.busy()).toEqual([]);
    remove(1);
    expect(index.totals('current')).toMatchObject({ quota: 3, remaining: 3, waiting: 0 });
  });

  test('finds the page above an id, at an index and with a package', async () => {
    for (let id = 10; id <= 70; id += 10) set(id);
    const page = (from?: Parameters<typeof index.find>[0]['from']) =>
      index.find({ group: 'all', limit: 3, from });
    expect(await page()).toEqual({ ids: [10, 20, 30], index: 0, total: 7, next: 30 });
    expect(await page({ above: 35 })).toEqual({ ids: [40, 50, 60], index: 3, total: 7, next: 60 });
    expect(await page({ above: 40 })).toEqual({ ids: [50, 60, 70], index: 4, total: 7 });
    expect(await page({ above: 70 })).toEqual({ ids: [], index: 7, total: 7 });
    expect(await page({ index: 3 })).toMatchObject({ ids: [40, 50, 60], index: 3 });
    expect(await page({ index: 999 })).toEqual({ ids: [70], index: 6, total: 7 });
    expect(await page({ id: 50 })).toMatchObject({ ids: [40, 50, 60] });
    expect(await page({ id: 55 })).toMatchObject({ ids: [10, 20, 30] });
    for (const id of packages.keys()) remove(id);
    expect(await page({ index: 3 })).toEqual({ ids: [], index: 0, total: 0 });
  });

  test('searches by a part of the flight in any case and by night, and lets other work run meanwhile', async () => {
    for (let id = 1; id <= 12_000; id++) {
      set(id, { flight: id % 4_000 === 0 ? `LHR ${id}` : 'Ölands Flyg', stay: `2030-01-0${1 + (id % 3)}` });
    }
    const find = async (flight?: string, stay?: string) =>
      (await index.find({ group: 'listed', limit: 2, flight, stay })).ids;
    expect(await find('lhr')).toEqual([4_000, 8_000]);
    expect(turns).toBe(2);
    expect(await find('R 12')).toEqual([12_000]);
    expect(await find('öland', '2030-01-02')).toEqual([1, 4]);
    expect(await find(undefined, '2030-01-03')).toEqual([2, 5]);
    expect(await find('nothing')).toEqual([]);
  });
});
