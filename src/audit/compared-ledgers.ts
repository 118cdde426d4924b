import type { Order } from '../domain/order.ts';
import type { Page } from '../lib/page.ts';
import { type SupplierKind, supplierKinds } from '../suppliers/suppliers.ts';
import type { LedgerReader } from './bounded-reads.ts';
import type { Ledger } from './ledger-comparison.ts';

/** An entry of a ledger. `due`: the payment was not paid, and can still be paid. */
export interface LedgerEntry {
  readonly key: string;
  /** The number of a reservation, or the amount of a payment. */
  readonly number: string;
  readonly status: 'active' | 'due' | 'cancelled';
}

/** A ledger of somebody else, and what the orders say of it. */
export interface ComparedLedger {
  readonly name: Ledger;
  page(cursor: string | undefined): Promise<Page<LedgerEntry>>;
  /** The number of the entry, as the order carries it. */
  numberOf(order: Order): string | undefined;
  /** Whether the order has an entry once it is confirmed. */
  hasEntryOf(order: Order): boolean;
  /** Whether the order's entry is in a ledger of somebody else, which is not read. */
  isElsewhere(order: Order): boolean;
}

const numberOf: Readonly<Record<SupplierKind, (order: Order) => string | undefined>> = {
  flights: ({ flight }) => flight?.ticketNumber,
  hotels: ({ hotel }) => hotel?.reservationNumber,
};

/** The ledgers that a reader has: of the suppliers, and of the payment provider if there is one. */
export function comparedLedgers(reader: LedgerReader): readonly ComparedLedger[] {
  const suppliers = supplierKinds.map((name) => ({
    name,
    page: (cursor: string | undefined) => reader.ledger(name, cursor),
    numberOf: numberOf[name],
    hasEntryOf: () => true,
    isElsewhere: () => false,
  }));
  const { payments, provider } = reader;
  return payments === undefined ? suppliers : [...suppliers, paymentLedger(payments, provider)];
}

/** @param provider whose ledger it is; undefined for that of all orders. */
function paymentLedger(
  read: NonNullable<LedgerReader['payments']>,
  provider: string | undefined,
): ComparedLedger {
  const isElsewhere = ({ payment }: Order) =>
    provider !== undefined && (payment?.provider ?? provider) !== provider;
  return {
    name: 'payments',
    async page(cursor) {
      const { items, next } = await read(cursor);
      const entries = items.map(({ key, amount, currency, status }): LedgerEntry => {
        const isOpen = status === 'due' || status === 'paid';
        const state = status === 'paid' ? 'active' : 'due';
        return { key, number: amountIn(amount, currency), status: isOpen ? state : 'cancelled' };
      });
      return next === undefined ? { items: entries } : { items: entries, next };
    },
    numberOf: (order) =>
      order.payment && !isElsewhere(order)
        ? amountIn(order.payment.amount, order.payment.currency)
        : undefined,
    hasEntryOf: (order) => order.payment !== undefined && !isElsewhere(order),
    isElsewhere,
  };
}

/** In minor units: `10000 EUR`. */
function amountIn(amount: number, currency: string): string {
  return `${amount} ${currency}`;
}
