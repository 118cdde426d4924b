import type { Clock } from '../lib/clock.ts';
import type { LedgerEntry } from './suppliers.ts';

/** How long a ticket is remembered at least, in ms. At most three times as long. */
const rememberedMs = 1_000;

/**
 * The flight tickets that this process has just recorded and whose hotel has not been booked. With one of them a hotel
 * needs no look-up in the ledger.
 *
 * Another process may cancel such a ticket. It then cancels the hotel reservation of the same key too, so none is left.
 */
export class RecentTickets {
  readonly #clock: Pick<Clock, 'monotonic'>;
  /** Two generations, by key. The older one is forgotten as a whole, which is cheaper than a timer for each ticket. */
  #newer = new Map<string, LedgerEntry>();
  #older = new Map<string, LedgerEntry>();
  #since = 0;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  add(ticket: LedgerEntry): void {
    this.#age();
    this.#newer.set(ticket.key, ticket);
  }

  /** Returns the ticket with this key and number, and forgets it. */
  take(key: string, number: string): LedgerEntry | undefined {
    this.#age();
    const ticket = this.#newer.get(key) ?? this.#older.get(key);
    this.forget(key);
    return ticket?.number === number ? ticket : undefined;
  }

  forget(key: string): void {
    this.#newer.delete(key);
    this.#older.delete(key);
  }

  #age(): void {
    const age = this.#clock.monotonic() - this.#since;
    if (age < rememberedMs) return;
    this.#older = age < 2 * rememberedMs ? this.#newer : new Map();
    this.#newer = new Map();
    this.#since = this.#clock.monotonic();
  }
}
