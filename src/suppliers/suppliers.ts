import type { AbortState } from '../lib/abort.ts';
import type { Page } from '../lib/page.ts';

/** All suppliers, in the order in which a purchase books them. */
export const supplierKinds = ['flights', 'hotels'] as const;
export type SupplierKind = (typeof supplierKinds)[number];
/** Everybody whom a saga calls: the suppliers, then the payment provider. */
export const partnerKinds = [...supplierKinds, 'payments'] as const;
export type PartnerKind = (typeof partnerKinds)[number];

/**
 * The prefix of the keys of public reservations. No order's key has this prefix, and tickets of public reservations are
 * not valid for orders.
 */
export const publicKeyPrefix = 'public:';

interface ReservationRequest {
  /** The order id. The same key gets the same answer until the key is cancelled. */
  readonly key: string;
  readonly packageId: number;
  readonly email: string;
}

export interface FlightRequest extends ReservationRequest {
  readonly flight: string;
}

export interface HotelRequest extends ReservationRequest {
  readonly stay: string;
  readonly flightTicketNumber: string;
}

/** What an order costs. */
export interface Amount {
  /** In minor units of the currency, such as cents. */
  readonly amount: number;
  /** An ISO 4217 code. */
  readonly currency: string;
}

/** Which provider has a payment. */
export interface AtProvider {
  /** The name of the provider, as {@link PaymentClient} has it. Absent: the provider that is configured. */
  readonly provider?: string | undefined;
}

/** Asks the payment provider for a page where the buyer pays. */
export interface PaymentRequest extends ReservationRequest, Amount, AtProvider {}

/** Asks the payment provider whether the buyer has paid this amount. */
export interface PaymentLookUp extends Amount, AtProvider {
  /** The order id, which is the key of the payment. */
  readonly key: string;
  readonly packageId: number;
}

/**
 * `cancelled`: it was never paid, and a payment that comes nevertheless is refunded. `refunded`: it was paid, and the
 * buyer gets the money back.
 */
export const paymentStatuses = ['due', 'paid', 'declined', 'cancelled', 'refunded'] as const;
export type PaymentStatus = (typeof paymentStatuses)[number];

/** A payment as its provider shows it. Without an amount it has the one that was asked for. */
export interface PaymentState extends Partial<Amount> {
  readonly status: PaymentStatus;
}

/** A payment in the provider's ledger. */
export interface LedgerPayment extends Amount {
  readonly key: string;
  readonly status: PaymentStatus;
}

/**
 * What the provider's ledger says of a payment. `absent`: there is none. `other_amount`: it is due or paid, but with
 * another amount or currency. `unknown`: the provider did not say.
 */
export type PaymentFound = PaymentStatus | 'absent' | 'other_amount' | 'unknown';

export type Refusal =
  | 'flight_unavailable'
  | 'hotel_unavailable'
  | 'invalid_ticket'
  | 'payment_refused'
  | 'cancelled';

/**
 * A definite answer. The supplier repeats this answer for the same key. `number` is the number of the ticket or
 * reservation; from the payment provider, it is the address of the page where the buyer pays.
 */
export type SupplierAnswer =
  | { readonly kind: 'reserved'; readonly number: string }
  /** `cause`: for the log, if the refusal is not one of the protocol. */
  | { readonly kind: 'refused'; readonly code: Refusal; readonly cause?: string };

/** A reservation may or may not exist, so the caller has to cancel it. */
export interface UnknownAnswer {
  readonly kind: 'unknown';
  /** The reason, for the log. */
  readonly cause: string;
}

/**
 * The outcome of a call, which may have taken several attempts. `afterUnknown`: an earlier attempt of the call had an
 * unknown outcome. Suppliers contradict themselves, so a reservation may exist although this answer is a refusal.
 */
export type CallOutcome =
  | Extract<SupplierAnswer, { kind: 'reserved' }>
  | (Extract<SupplierAnswer, { kind: 'refused' }> & { readonly afterUnknown?: true })
  | UnknownAnswer;

/** A reservation in a supplier's ledger. */
export interface Reservation {
  readonly key: string;
  readonly number: string;
  readonly status: 'active' | 'cancelled';
}

/** The supplier shows its ledger only with another token (status 401 or 403). */
export class LedgerForbiddenError extends Error {
  override readonly name = 'LedgerForbiddenError';
}

/**
 * Makes each supplier call once, without a retry. Only the signal limits its time. Implemented by the built-in
 * simulation and by the HTTP client.
 * @throws Error if the outcome is unknown: a timeout, a lost connection, a 5xx, an answer outside the protocol.
 */
export interface SupplierClient {
  reserveFlight(request: FlightRequest, signal?: AbortState): Promise<SupplierAnswer>;
  reserveHotel(request: HotelRequest, signal?: AbortState): Promise<SupplierAnswer>;
  /**
   * Cancels a reservation. Succeeds also if there is nothing to cancel. A reservation that arrives after its cancel
   * stays cancelled.
   */
  cancel(kind: SupplierKind, key: string, signal?: AbortState): Promise<void>;
  /** A page of the supplier's reservations, for audits. @throws LedgerForbiddenError */
  ledger(kind: SupplierKind, cursor?: string, signal?: AbortState): Promise<Page<Reservation>>;
}

/**
 * Makes each call of the payment provider once, without a retry. Only the signal limits its time.
 * @throws Error if the outcome is unknown, as a {@link SupplierClient} does.
 */
export interface PaymentClient {
  /**
   * The name of the provider, which is stored with orders: `simulated` or `external`. Instances may reach one provider by
   * different addresses, so its address is no name.
   */
  readonly provider: string;
  requestPayment(request: PaymentRequest, signal?: AbortState): Promise<SupplierAnswer>;
  /** The payment with this key, as the provider's ledger has it; undefined if there is none. */
  payment(key: string, signal?: AbortState): Promise<PaymentState | undefined>;
  /**
   * Cancels a payment that is due, and refunds one that was paid. Succeeds also if there is nothing to cancel. It is
   * final: a payment that is requested later is refused, and one that is made later is refunded.
   */
  cancelPayment(key: string, signal?: AbortState): Promise<void>;
  /** A page of the provider's payments, for audits. @throws LedgerForbiddenError */
  payments(cursor?: string, signal?: AbortState): Promise<Page<LedgerPayment>>;
}

/** Whose cancel it is. `provider` is for payments only. */
export interface CancelRequest extends AtProvider {
  /** The order id, which is the key of the reservation. */
  readonly key: string;
  readonly packageId: number;
}

/**
 * The suppliers and the payment provider for a saga: with timeouts, retries and circuit breakers. The methods throw nothing. Packages share the calls
 * under way fairly.
 *
 * Only unknown outcomes open a circuit breaker. While the breaker of a package is open, its calls wait instead of
 * failing, and `available` is false, so that no new unit of the package is claimed.
 *
 * An urgent call, which an operator has asked for, goes before the others of its package.
 */
export interface Suppliers {
  reserveFlight(request: FlightRequest, signal: AbortState, isUrgent?: boolean): Promise<CallOutcome>;
  reserveHotel(request: HotelRequest, signal: AbortState, isUrgent?: boolean): Promise<CallOutcome>;
  /**
   * While payments are off, or another provider than that of the payment is configured, this and the next two log it and
   * wait for the signal. The order keeps its unit meanwhile, and an activation that can ask its provider goes on with it.
   */
  requestPayment(request: PaymentRequest, signal: AbortState, isUrgent?: boolean): Promise<CallOutcome>;
  /** Looks a payment up once. */
  findPayment(lookUp: PaymentLookUp, signal: AbortState, isUrgent?: boolean): Promise<PaymentFound>;
  /** Tries once to cancel. Returns false if the cancel may not have worked, so that the caller has to repeat it. */
  cancel(kind: PartnerKind, request: CancelRequest, signal: AbortState, isUrgent?: boolean): Promise<boolean>;
  available(packageId: number): boolean;
  /** False while most of the packages that called a supplier recently get no definite answers. */
  readonly isMostlyAvailable: boolean;
  /** Calls the listener with every change of `available`. Returns a function that removes the listener. */
  onAvailability(listener: (packageId: number, available: boolean) => void): () => void;
}

/** The packages for which a kind of supplier, or the payment provider, gives no definite answers. */
export interface FailingSupplier {
  readonly supplier: PartnerKind;
  /** The number of these packages. */
  readonly packages: number;
  /** The packages that have had no answer for the longest time, at most 100. */
  readonly firstPackages: readonly number[];
  /** Since when the first of them has had no answer, as Unix time in ms. */
  readonly since: number;
}

/** An entry in the ledger of the simulated suppliers. */
export interface LedgerEntry {
  readonly key: string;
  /** Ticket or reservation number; empty if nothing was ever reserved. */
  readonly number: string;
  readonly status: 'active' | 'cancelled' | 'refused';
  /** The name of the flight or stay that is reserved. */
  readonly subject: string;
  readonly packageId: number;
}

/**
 * The ledger of the simulated suppliers. Each method is one atomic, durable step. Only the simulated suppliers call it.
 */
export interface SupplierLedger {
  /**
   * Stores the entry unless its key already has an entry. Returns the stored entry.
   * @param at when the supplier answered, as Unix time in ms. The retention period counts from it.
   */
  record(kind: SupplierKind, entry: LedgerEntry, at?: number): Promise<LedgerEntry>;
  find(kind: SupplierKind, key: string): Promise<LedgerEntry | undefined>;
  findByNumber(kind: SupplierKind, number: string): Promise<LedgerEntry | undefined>;
  /** Marks the key as cancelled, even if the key has no entry yet. */
  cancel(kind: SupplierKind, key: string): Promise<void>;
  /** Active and cancelled entries that have a number, sorted by key. */
  page(kind: SupplierKind, cursor: string | undefined, limit: number): Promise<Page<Reservation>>;
  close(): Promise<void>;
}

/** An entry in the ledger of the simulated payment provider. */
export interface PaymentEntry extends LedgerPayment {
  /** The random number in the address of the payment's page; empty if no payment was ever requested. */
  readonly number: string;
  /** Where the buyer goes from the payment's page. */
  readonly returnUrl: string;
}

/** What happens to a payment, and the statuses that it changes. All other statuses stay. */
export const paymentMoves = {
  pay: { due: 'paid', cancelled: 'refunded' },
  decline: { due: 'declined' },
  cancel: { due: 'cancelled', paid: 'refunded' },
} as const satisfies Record<string, Partial<Record<PaymentStatus, PaymentStatus>>>;
export type PaymentMove = keyof typeof paymentMoves;

/** The entry of a payment that was cancelled before it was requested. */
export function neverRequested(key: string): PaymentEntry {
  return { key, status: 'cancelled', amount: 0, currency: 'XXX', number: '', returnUrl: '' };
}

/**
 * The ledger of the simulated payment provider. Each method is one atomic, durable step. Only the simulated provider calls
 * it.
 */
export interface PaymentLedger {
  /** Stores the entry unless its key already has an entry. Returns the stored entry. */
  record(entry: PaymentEntry): Promise<PaymentEntry>;
  find(key: string): Promise<PaymentEntry | undefined>;
  findByNumber(number: string): Promise<PaymentEntry | undefined>;
  /**
   * Moves a payment, as {@link paymentMoves} says. The cancel of an unknown key stores {@link neverRequested}. Returns the
   * entry after the move; undefined if there is none.
   */
  move(key: string, move: PaymentMove): Promise<PaymentEntry | undefined>;
  /** All entries, sorted by key. */
  page(cursor: string | undefined, limit: number): Promise<Page<PaymentEntry>>;
}

/** A request of the payment protocol. */
export interface RequestedPayment extends Amount {
  readonly key: string;
  /** Where the buyer goes from the payment's page. */
  readonly returnUrl: string;
}

/** The simulated payment provider, with the payment protocol and a page for buyers. */
export interface PaymentProvider {
  /**
   * Requests a payment. The same key gets the same payment, whatever the request says.
   * @param origin the origin of the payment's page.
   */
  request(request: RequestedPayment, origin: string): Promise<SupplierAnswer>;
  find(key: string): Promise<PaymentState | undefined>;
  cancel(key: string): Promise<void>;
  page(cursor?: string): Promise<Page<LedgerPayment>>;
  /** The payment with this number, which only its buyer knows; undefined if there is none. */
  checkout(number: string): Promise<PaymentEntry | undefined>;
  /** The buyer pays, or the bank declines. Returns the payment after that; undefined if there is none. */
  act(number: string, move: Exclude<PaymentMove, 'cancel'>): Promise<PaymentEntry | undefined>;
}

/**
 * Checks the signature and the age of an event, as Standard Webhooks defines.
 * @param headers by their names in lower case.
 * @throws Error that says what is wrong.
 */
export type EventVerifier = (body: string, headers: Record<string, string>) => void;

/** The ledgers of all simulated partners, in one store. */
export interface SimulationLedger extends SupplierLedger {
  readonly payments: PaymentLedger;
}
