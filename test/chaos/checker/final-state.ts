/**
 * The state after a run: everything that is stored, and all reservations at the suppliers. The checker has types of its
 * own and shares no code with the server, so that one bug cannot be in both.
 */
export interface FinalState {
  readonly packages: readonly StoredPackage[];
  readonly orders: readonly StoredOrder[];
  readonly flights: readonly Reservation[];
  readonly hotels: readonly Reservation[];
  /** All payments at the payment provider. Absent if payments are off. */
  readonly payments?: readonly Payment[];
  /** The value of the server's setting `WAITERS_PER_UNIT`. Without it, a queue with one order counts as full. */
  readonly waitersPerUnit?: number;
}

export interface StoredPackage {
  readonly id: number;
  readonly price: number;
  readonly quota: number;
  /** The package's version, which is above 1 if an operator has changed the package. */
  readonly version: number;
  readonly isPaused: boolean;
  readonly remaining: number;
  readonly held: number;
  readonly confirmed: number;
  readonly cancelling: number;
  readonly waiting: number;
  readonly nextNumber: number;
}

export interface StoredOrder {
  readonly id: string;
  readonly packageId: number;
  readonly number: number;
  readonly email: string;
  readonly key?: string;
  readonly status: string;
  readonly reason?: string;
  readonly ticketNumber?: string;
  readonly reservationNumber?: string;
  /** When it expires if it is not paid, in ms since 1970. Only of an order that was payable. */
  readonly payBy?: number;
  readonly timeline: readonly TimelineEvent[];
}

export interface TimelineEvent {
  /**
   * Milliseconds since 1970 by the machine's clock. `queued`, `claimed`, `payment due`, `confirmed`, `cancel requested`, `released`
   * and final events have the time of the owner's decision, which is not after its commit. Within a package these times
   * follow the commits: an owner decides only after its previous commit is known, and a new owner only when the former
   * owner can no longer commit.
   */
  readonly at: number;
  readonly event: string;
}

export interface Reservation {
  /** The order's id, or `public:…` for reservations by clients without the suppliers' token. */
  readonly key: string;
  readonly number: string;
  readonly status: string;
}

export interface Payment {
  /** The order's id. */
  readonly key: string;
  /** `due`, `paid`, `declined`, `cancelled` or `refunded`. */
  readonly status: string;
  /** In minor units of the currency. */
  readonly amount: number;
  readonly currency: string;
}

const eventOf: Readonly<Record<string, string>> = {
  queued: 'queued',
  held: 'claimed',
  payable: 'payment due',
  compensating: 'compensating',
  confirmed: 'confirmed',
  cancelling: 'cancel requested',
  failed: 'failed',
  rejected: 'sold out',
  withdrawn: 'withdrawn',
  cancelled: 'cancelled',
};

/** When the owner decided that the order gets this status; undefined if the order never had it. */
export function decidedAt(order: StoredOrder, status: string): number | undefined {
  return timeOf(order, eventOf[status] ?? '');
}

/** When one of these events first happened; undefined if none of them happened. */
export function timeOf(order: StoredOrder, ...events: readonly string[]): number | undefined {
  return order.timeline.find(({ event }) => events.includes(event))?.at;
}
