import { type Store, UnreadableError } from '../storage/store.ts';

/** How many documents are looked for again at a time. */
const lookedForMax = 100;

/**
 * The packages and orders that this instance cannot read. Looks for the first of them again, because somebody may have
 * repaired or removed them by hand. @throws StoreUnavailableError
 */
export async function unreadableDocuments(
  store: Pick<Store, 'unreadable' | 'order' | 'package'>,
): Promise<readonly UnreadableError[]> {
  const lookFor = async ({ subject: { packageId, orderId } }: UnreadableError) => {
    try {
      if (orderId !== undefined) await store.order(orderId);
      else if (packageId !== undefined) await store.package(packageId);
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error;
    }
  };
  await Promise.all(store.unreadable().slice(0, lookedForMax).map(lookFor));
  return store.unreadable();
}
