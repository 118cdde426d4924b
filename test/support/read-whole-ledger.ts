import type { Reservation, SupplierClient, SupplierKind } from '../../src/suppliers/suppliers.ts';

/** Reads all pages of a supplier's ledger. */
export async function readWholeLedger(client: SupplierClient, kind: SupplierKind): Promise<Reservation[]> {
  const found: Reservation[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.ledger(kind, cursor);
    found.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return found;
}
