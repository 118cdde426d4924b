/** Answers outside 2xx that are outcomes all the same: the sale, or a supplier, has decided. */
const decided: ReadonlySet<string> = new Set(['409 sold_out', '409 queue_full', '502 supplier_failed']);

/**
 * Whether this answer, by its status and problem code, is one that a purchase may come to. Any other one is an error,
 * however fast it was: 429 and 503 as much as 404.
 */
export function isOutcome(name: string): boolean {
  return isSuccess(name) || decided.has(name);
}

export function isSuccess(name: string): boolean {
  return name.length === 3 && name.startsWith('2');
}
