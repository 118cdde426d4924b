import { type AuditedStore, auditPackage } from './audit-package.ts';
import type { AuditReport, Finding } from './audit-report.ts';
import { type LedgerReader, SupplierAudit } from './audit-suppliers.ts';

export interface AuditOptions {
  /** Without them rule Q8 is judged by the orders alone. */
  readonly suppliers?: LedgerReader;
  /** How far the clocks of different owners may be apart, in ms; default 0, as with one instance. */
  readonly clockSkewMs?: number;
  /** How many orders are read at a time; default 1000. */
  readonly pageSize?: number;
  /** Told now and then how many orders and reservations were read so far. */
  readonly onProgress?: (progress: { orders: number; reservations: number }) => void;
}

/**
 * Holds everything stored against the promises: Q1, Q3, Q5, Q7 and Q8. Whether somebody was refused a unit that
 * was free (Q4) cannot be seen from what is stored.
 *
 * It reads in pages, so it takes no more memory for more orders (two bits each), and it may run beside servers
 * that go on selling: what it finds is certain, and it waits for nothing.
 * @throws Error when the store or the suppliers cannot be read.
 */
export async function audit(store: AuditedStore, options: AuditOptions = {}): Promise<AuditReport> {
  const { suppliers, clockSkewMs = 0, pageSize = 1000, onProgress } = options;
  const supplierAudits = suppliers
    ? (['flights', 'hotels'] as const).map((kind) => new SupplierAudit(kind, store, suppliers))
    : [];
  const findings: Finding[] = [];
  const inMotion: number[] = [];
  const read = { orders: 0, reservations: 0 };
  let orders = 0;

  const packages = await store.packages();
  for (const { package: travelPackage } of packages) {
    const audited = await auditPackage(store, travelPackage.id, {
      pageSize,
      clockSkewMs,
      onOrder(order) {
        for (const supplierAudit of supplierAudits) supplierAudit.see(order);
        read.orders += 1;
        if (read.orders % pageSize === 0) onProgress?.(read);
      },
    });
    orders += audited.orders;
    if (audited.findings) findings.push(...audited.findings);
    else inMotion.push(travelPackage.id);
  }
  for (const supplierAudit of supplierAudits) {
    const found = await supplierAudit.run(pageSize, (count) => {
      read.reservations += count;
      onProgress?.(read);
    });
    findings.push(...found);
  }
  return {
    ok: findings.length === 0,
    packages: packages.length,
    orders,
    reservations: sum(supplierAudits.map(({ reservations }) => reservations)),
    publicReservations: sum(supplierAudits.map(({ publicReservations }) => publicReservations)),
    suppliersRead: suppliers !== undefined,
    inMotion,
    findings,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
