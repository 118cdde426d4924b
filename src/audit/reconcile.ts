import type { AuditedStore } from './audit-package.ts';
import { LedgerAudit } from './audit-suppliers.ts';
import { boundedLedger, boundedStore, type LedgerSource, type ReadLimits } from './bounded-reads.ts';
import { comparedLedgers } from './compared-ledgers.ts';
import type { Agreement, Difference, LedgerComparison } from './ledger-comparison.ts';
import { orderPages } from './order-pages.ts';

export interface ReconcileOptions extends ReadLimits {
  /** How many orders are read at a time. */
  readonly pageSize: number;
}

/** What the reconciliation says of one order and one ledger. */
export type Reconciled = Difference | Agreement;

/**
 * Compares the orders with the ledgers of the suppliers and of the payment provider, while servers sell: first all differences, then what agrees or is in
 * progress. Needs a few bits of memory for each order. Reservations of the public and of archived orders are left out.
 *
 * The first page is empty and comes before anything is read. Further pages are empty while all orders are read, so that a
 * caller can stop between two reads.
 * @throws StoreUnavailableError or LedgerUnavailableError if a page cannot be read, or not in time.
 */
export async function* reconcile(
  auditedStore: AuditedStore,
  source: LedgerSource,
  options: ReconcileOptions,
): AsyncGenerator<readonly Reconciled[]> {
  const { pageSize } = options;
  const store = boundedStore(auditedStore, options);
  const ledger = boundedLedger(source, options);
  const comparisons: readonly LedgerComparison[] = comparedLedgers(ledger).map(
    (each) => new LedgerAudit(store, each),
  );
  yield [];
  for await (const { items } of orderPages(store, { pageSize })) {
    for (const order of items) for (const comparison of comparisons) comparison.see(order);
    yield [];
  }
  for (const comparison of comparisons) yield* comparison.differences(pageSize);
  for await (const { items } of orderPages(store, { pageSize })) {
    yield items.flatMap((order) => comparisons.flatMap((comparison) => comparison.agreement(order) ?? []));
  }
}
