/**
 * What is left when a run is over: everything stored, and everything reserved at the suppliers. The shapes are the
 * checker's own. It shares nothing with the server, so that no mistake of the server can hide in it: it knows the
 * documents and the protocol only as a stranger would who looked at them.
 */
export interface FinalState {
  readonly packages: readonly StoredPackage[];
  readonly orders: readonly StoredOrder[];
  readonly flights: readonly Reservation[];
  readonly hotels: readonly Reservation[];
  /** The server's `WAITERS_PER_UNIT`. Where it is not known, one waiter makes a full line. */
  readonly waitersPerUnit?: number;
}

export interface StoredPackage {
  readonly id: number;
  readonly quota: number;
  /** Above 1 where an operator has changed the package. */
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
  readonly ticketNumber?: string;
  readonly reservationNumber?: string;
  readonly timeline: readonly TimelineEvent[];
}

export interface TimelineEvent {
  /**
   * Milliseconds since 1970 by the clock of the machine that everything ran on. `queued`, `claimed`, `confirmed`,
   * `cancel requested`, `released` and what ends an order are times of the owner's decision, which is never later
   * than its commit. Of one package they come in the order of the commits: an owner decides again only when the
   * commit before is known, and the next owner only when no commit of the former can follow.
   */
  readonly at: number;
  readonly event: string;
}

export interface Reservation {
  /** The order's id, or `public:…` for whom the suppliers do not know. */
  readonly key: string;
  readonly number: string;
  readonly status: string;
}

const eventOf: Readonly<Record<string, string>> = {
  queued: 'queued',
  held: 'claimed',
  compensating: 'compensating',
  confirmed: 'confirmed',
  cancelling: 'cancel requested',
  failed: 'failed',
  rejected: 'sold out',
  withdrawn: 'withdrawn',
  cancelled: 'cancelled',
};

/** When its owner decided that it gets into this status; undefined where it never did. */
export function decidedAt(order: StoredOrder, status: string): number | undefined {
  return timeOf(order, eventOf[status] ?? '');
}

/** When something first happened to an order; undefined where it never did. */
export function timeOf(order: StoredOrder, ...events: readonly string[]): number | undefined {
  return order.timeline.find(({ event }) => events.includes(event))?.at;
}
