import { allItemsOf } from '../lib/page.ts';
import { type AuditedStore, auditPackage, unreadable } from './audit-package.ts';
import type { AuditReport, Finding } from './audit-report.ts';
import { findingOf, LedgerAudit } from './audit-suppliers.ts';
import { boundedLedger, boundedStore, type LedgerSource, type ReadLimits } from './bounded-reads.ts';
import { type ComparedLedger, comparedLedgers } from './compared-ledgers.ts';

export interface AuditProgress {
  readonly packages: number;
  readonly packagesTotal: number;
  readonly orders: number;
  /** About how many orders there are: those of unreadable packages are not counted. */
  readonly ordersTotal: number;
  readonly reservations: number;
}

export interface AuditOptions extends ReadLimits {
  /** The ledgers of the suppliers and the payment provider. If undefined, rules Q8 and Q11 are checked by the orders alone. */
  readonly suppliers?: LedgerSource | undefined;
  /**
   * The greatest difference between the clocks of different owners, in ms. Default 0, which is right for one instance.
   */
  readonly clockSkewMs?: number;
  /** How many orders are read at a time; default 1000. */
  readonly pageSize?: number;
  /** Called after each page and each package with the counts read so far. */
  readonly onProgress?: (progress: AuditProgress) => void;
}

/**
 * Checks everything stored against the promises Q1, Q3, Q5, Q6, Q7, Q8 and Q11. Promise Q4 is not checked, because the stored
 * data cannot show whether a purchase was refused while a unit was free.
 *
 * The audit reads in pages and needs a few bits of memory for each order. It may run while servers sell: it reports only
 * certain breaches, and does not wait for orders to end.
 * @throws StoreUnavailableError or LedgerUnavailableError if a page cannot be read, or not in time.
 */
export async function audit(auditedStore: AuditedStore, options: AuditOptions = {}): Promise<AuditReport> {
  const { clockSkewMs = 0, pageSize = 1000, onProgress } = options;
  const store = boundedStore(auditedStore, options);
  const suppliers = options.suppliers && boundedLedger(options.suppliers, options);
  const ledgerAudits = (suppliers ? comparedLedgers(suppliers) : []).map((ledger) => ({
    ledger,
    audited: new LedgerAudit(store, ledger),
  }));
  const findings: Finding[] = [];
  const inMotion: number[] = [];
  let orders = 0;

  const packages = await allItemsOf((cursor, limit) => store.packagesPage(cursor, limit));
  for (const error of store.unreadable()) {
    const { packageId, orderId } = error.subject;
    if (packageId !== undefined && orderId === undefined) findings.push(unreadable(packageId, [error]));
  }
  const ordersTotal = sum(packages.map(({ inventory }) => inventory.nextNumber - 1));
  const read = { packages: 0, packagesTotal: packages.length, orders: 0, ordersTotal, reservations: 0 };
  onProgress?.(read);
  for (const { package: travelPackage } of packages) {
    const audited = await auditPackage(store, travelPackage.id, {
      pageSize,
      clockSkewMs,
      onOrder(order, count) {
        for (const { audited } of ledgerAudits) audited.see(order);
        read.orders = orders + count;
        if (count % pageSize === 0) onProgress?.(read);
      },
    });
    orders += audited.orders;
    read.orders = orders;
    read.packages += 1;
    onProgress?.(read);
    if (audited.findings) findings.push(...audited.findings);
    else inMotion.push(travelPackage.id);
  }
  for (const { audited } of ledgerAudits) {
    const differences = audited.differences(pageSize, (count) => {
      read.reservations += count;
      onProgress?.(read);
    });
    for await (const page of differences) {
      findings.push(...page.flatMap((difference) => findingOf(difference) ?? []));
    }
  }
  const entries = (isOf: (ledger: ComparedLedger) => boolean) =>
    sum(ledgerAudits.map(({ ledger, audited }) => (isOf(ledger) ? audited.reservations : 0)));
  const paymentsElsewhere = sum(ledgerAudits.map(({ audited }) => audited.elsewhere));
  return {
    ok: findings.length === 0,
    packages: packages.length,
    orders,
    reservations: entries(({ name }) => name !== 'payments'),
    publicReservations: sum(ledgerAudits.map(({ audited }) => audited.publicReservations)),
    ...(suppliers?.payments === undefined ? {} : { payments: entries(({ name }) => name === 'payments') }),
    ...(paymentsElsewhere === 0 ? {} : { paymentsElsewhere }),
    suppliersRead: suppliers !== undefined,
    inMotion,
    findings,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
