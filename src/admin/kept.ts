import type { Clock } from '../lib/clock.ts';

/** A reading that many share: what was read is good for so many ms, and one is under way at a time. */
export function keptFor<Value>(ms: number, clock: Clock, read: () => Promise<Value>): () => Promise<Value> {
  let kept: { readonly until: number; readonly value: Promise<Value> } | undefined;
  return () => {
    if (kept !== undefined && clock.now() < kept.until) return kept.value;
    const value = read();
    // Until it is read, nobody else reads; what failed is no reason to fail the next.
    kept = { until: Number.POSITIVE_INFINITY, value };
    value.then(
      () => {
        kept = { until: clock.now() + ms, value };
      },
      () => {
        kept = undefined;
      },
    );
    return value;
  };
}
