import type { Store } from '../ports/store.ts';

/** What keeps an engine from taking orders, in words; empty when nothing does. */
export async function missingFor(
  store: Pick<Store, 'ping'>,
  { isDraining, isCarrierAvailable }: { readonly isDraining: boolean; readonly isCarrierAvailable: boolean },
): Promise<string[]> {
  if (isDraining) return ['this instance is draining'];
  const missing = isCarrierAvailable ? [] : ['Redis does not answer'];
  try {
    await store.ping();
  } catch (error) {
    missing.push(`the store does not answer: ${error instanceof Error ? error.message : String(error)}`);
  }
  return missing;
}
