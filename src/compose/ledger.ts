import type { LedgerReader } from '../audit/audit-suppliers.ts';
import type { SuppliersConfig } from '../config/config.ts';
import { httpSuppliers } from '../suppliers/http-suppliers.ts';
import type { SupplierLedger } from '../suppliers/suppliers.ts';

/** Reservations in one page of the ledger inside. */
const pageSize = 1000;

/**
 * The suppliers' ledger, for audits. Suppliers elsewhere may want a token for it: undefined when there is none and
 * they do not open it. With a token, failing to read it fails the audit.
 */
export async function ledgerOf(
  { url, token }: SuppliersConfig,
  inside: SupplierLedger,
): Promise<LedgerReader | undefined> {
  if (url === undefined) return { ledger: (kind, cursor) => inside.page(kind, cursor, pageSize) };
  if (token !== undefined) return httpSuppliers({ url, token });
  const suppliers = httpSuppliers({ url });
  try {
    await suppliers.ledger('flights');
    return suppliers;
  } catch {
    return undefined;
  }
}
