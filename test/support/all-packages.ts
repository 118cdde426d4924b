import type { PackageSnapshot } from '../../src/domain/travel-package.ts';
import type { BookingEngine } from '../../src/engine/engine.ts';
import { allItemsOf } from '../../src/lib/page.ts';
import type { Store } from '../../src/storage/store.ts';

/** All packages of a store, by id. */
export function allPackages(store: Pick<Store, 'packagesPage'>): Promise<PackageSnapshot[]> {
  return allItemsOf((cursor, limit) => store.packagesPage(cursor, limit));
}

/** The packages that an engine knows, by id, at most a thousand. */
export async function packagesOf(
  engine: Pick<BookingEngine, 'packages'>,
): Promise<readonly PackageSnapshot[]> {
  return (await engine.packages({ group: 'all', limit: 1_000 })).items;
}
