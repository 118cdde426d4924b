import {
  neverRequested,
  type PaymentEntry,
  type PaymentLedger,
  type PaymentStatus,
  paymentMoves,
} from '../../src/suppliers/suppliers.ts';

/** The ledger of a simulated payment provider in memory. */
export function memoryPayments(): PaymentLedger {
  const entries = new Map<string, PaymentEntry>();
  return {
    async record(entry) {
      const kept = entries.get(entry.key) ?? entry;
      entries.set(entry.key, kept);
      return kept;
    },
    async find(key) {
      return entries.get(key);
    },
    async findByNumber(number) {
      return number === '' ? undefined : [...entries.values()].find((entry) => entry.number === number);
    },
    async move(key, move) {
      const entry = entries.get(key) ?? (move === 'cancel' ? neverRequested(key) : undefined);
      if (entry === undefined) return undefined;
      const moves: Partial<Record<PaymentStatus, PaymentStatus>> = paymentMoves[move];
      const moved = { ...entry, status: moves[entry.status] ?? entry.status };
      entries.set(key, moved);
      return moved;
    },
    async page(cursor = '', limit) {
      const after = [...entries.values()]
        .filter(({ key }) => key > cursor)
        .sort((a, b) => (a.key < b.key ? -1 : 1));
      const items = after.slice(0, limit);
      return after.length > limit ? { items, next: items.at(-1)?.key ?? '' } : { items };
    },
  };
}
