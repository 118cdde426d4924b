import type { LedgerEntry, Reservation, SupplierLedger } from '../../src/suppliers/suppliers.ts';

/** A supplier ledger in memory. */
export function memoryLedger(): SupplierLedger {
  const books = { flights: new Map<string, LedgerEntry>(), hotels: new Map<string, LedgerEntry>() };
  return {
    async record(kind, entry) {
      const kept = books[kind].get(entry.key) ?? entry;
      books[kind].set(entry.key, kept);
      return kept;
    },
    async find(kind, key) {
      return books[kind].get(key);
    },
    async findByNumber(kind, number) {
      return number === '' ? undefined : [...books[kind].values()].find((entry) => entry.number === number);
    },
    async cancel(kind, key) {
      const entry = books[kind].get(key) ?? {
        key,
        number: '',
        subject: '',
        packageId: 0,
        status: 'cancelled',
      };
      books[kind].set(key, { ...entry, status: 'cancelled' });
    },
    async page(kind, cursor = '', limit) {
      const after = reservations(books[kind]).filter(({ key }) => key > cursor);
      const items = after.slice(0, limit);
      return after.length > limit ? { items, next: items.at(-1)?.key ?? '' } : { items };
    },
    async close() {},
  };
}

function reservations(book: ReadonlyMap<string, LedgerEntry>): Reservation[] {
  return [...book.values()]
    .filter(({ number }) => number !== '')
    .map(({ key, number, status }) => ({
      key,
      number,
      status: status === 'active' ? ('active' as const) : ('cancelled' as const),
    }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}
