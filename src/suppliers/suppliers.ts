import type { Page } from '../lib/page.ts';

export type SupplierKind = 'flights' | 'hotels';

/** What the keys of anybody's reservations begin with: no order's key does, and their tickets serve no order. */
export const publicKeyPrefix = 'public:';

export interface FlightRequest {
  /** The order id: the same key gets the same answer, until it is cancelled. */
  readonly key: string;
  readonly packageId: number;
  readonly flight: string;
  readonly email: string;
}

export interface HotelRequest {
  readonly key: string;
  readonly packageId: number;
  readonly stay: string;
  readonly email: string;
  readonly flightTicketNumber: string;
}

export type Refusal = 'flight_unavailable' | 'hotel_unavailable' | 'invalid_ticket' | 'cancelled';

/** A definite answer: it stays the same for this key. */
export type SupplierAnswer =
  | { readonly kind: 'reserved'; readonly number: string }
  | { readonly kind: 'refused'; readonly code: Refusal };

/** Nobody knows whether a reservation exists: a cancel is owed. */
export interface UnknownAnswer {
  readonly kind: 'unknown';
  /** Why, in words for a log. */
  readonly cause: string;
}

/** A line of a supplier's ledger. */
export interface Reservation {
  readonly key: string;
  readonly number: string;
  readonly status: 'active' | 'cancelled';
}

/**
 * One supplier call, once: no retry, no time limit of its own beyond the signal.
 * Spoken by the built-in simulation and by the HTTP client of the supplier protocol.
 * @throws Error whenever the outcome is unknown: time-out, cut connection, 5xx, an answer that makes no sense.
 */
export interface SupplierClient {
  reserveFlight(request: FlightRequest, signal?: AbortSignal): Promise<SupplierAnswer>;
  reserveHotel(request: HotelRequest, signal?: AbortSignal): Promise<SupplierAnswer>;
  /** Succeeds also when there is nothing to cancel; a reservation that arrives later stays cancelled. */
  cancel(kind: SupplierKind, key: string, signal?: AbortSignal): Promise<void>;
  /** The supplier's reservations, for audits. */
  ledger(kind: SupplierKind, cursor?: string, signal?: AbortSignal): Promise<Page<Reservation>>;
}

/**
 * The suppliers as a saga sees them: time-outs, retries and a breaker are inside, and nothing is thrown.
 *
 * While the breaker is open (tripped by unknown outcomes only) calls wait instead of failing, and `available`
 * is false, so that nothing new is claimed.
 */
export interface Suppliers {
  reserveFlight(request: FlightRequest, signal: AbortSignal): Promise<SupplierAnswer | UnknownAnswer>;
  reserveHotel(request: HotelRequest, signal: AbortSignal): Promise<SupplierAnswer | UnknownAnswer>;
  /** One try within the time limit. False: not known to be cancelled, ask again. */
  cancel(kind: SupplierKind, key: string, signal: AbortSignal): Promise<boolean>;
  readonly available: boolean;
  /** Tells of every change of `available`; returns how to stop. */
  onAvailability(listener: (available: boolean) => void): () => void;
}

/** What the simulated suppliers remember of a key. */
export interface LedgerEntry {
  readonly key: string;
  /** Ticket or reservation number; empty where nothing was ever reserved. */
  readonly number: string;
  readonly status: 'active' | 'cancelled' | 'refused';
  /** What the reservation is for (the flight's or stay's name), to check tickets against. */
  readonly subject: string;
  readonly packageId: number;
}

/**
 * The memory of the simulated suppliers. Each method is one atomic, durable step.
 * Called by the simulation alone.
 */
export interface SupplierLedger {
  /** Keeps the entry unless the key has one already; returns the one that is kept now. */
  record(kind: SupplierKind, entry: LedgerEntry): Promise<LedgerEntry>;
  find(kind: SupplierKind, key: string): Promise<LedgerEntry | undefined>;
  findByNumber(kind: SupplierKind, number: string): Promise<LedgerEntry | undefined>;
  /** Marks the key cancelled, whether or not it has an entry. */
  cancel(kind: SupplierKind, key: string): Promise<void>;
  /** Active and cancelled entries that have a number, by key. */
  page(kind: SupplierKind, cursor: string | undefined, limit: number): Promise<Page<Reservation>>;
  close(): Promise<void>;
}
