import { orderIdBytes, orderIdFrom } from '../../src/domain/order.ts';
import { fullInventory } from '../../src/domain/travel-package.ts';
import { systemRandom } from '../../src/lib/random.ts';
import type { Store } from '../../src/storage/store.ts';
import { onSale } from './server.ts';

/** How many packages are written at once. */
const concurrency = 50;

/**
 * Puts packages into the store that need an owner for as long as a test lasts: their sale is paused, and an order waits
 * in the queue of each.
 * @param owner the instance that owned them last
 */
export async function addWaitingPackages(store: Store, ids: readonly number[], owner: string): Promise<void> {
  const packages = ids.map((id) => onSale({ id, quota: 1, paused: true }));
  await store.addPackages(packages);
  const waiting = [...packages];
  const random = systemRandom();
  const work = async () => {
    for (let each = waiting.pop(); each !== undefined; each = waiting.pop()) {
      const { id, flight, stay, price } = each;
      const ownership = await store.takeOwnership(id, owner);
      if (ownership === undefined) throw new Error(`there is no package ${id}`);
      await store.commit(id, ownership.fence, {
        inventory: { ...fullInventory(1), waiting: 1, nextNumber: 2 },
        inserted: [
          {
            ...{ id: orderIdFrom(Date.now(), random.bytes(orderIdBytes)), packageId: id, number: 1 },
            package: { flight, stay, price },
            ...{ email: 'ana@example.com', key: `key-${id}`, status: 'queued', createdAt: 1, timeline: [] },
          },
        ],
        updated: [],
      });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}
