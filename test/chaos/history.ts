/**
 * What a chaos run writes down while it runs, one line of JSON each: what its clients did and heard, and what was done
 * to the cluster. The checker and the timeline read nothing else of the run.
 */
export type HistoryEntry = PurchaseEntry | LookUpEntry | CancelEntry | FiguresEntry | FaultEntry | PhaseEntry;

/** One request of a client. Times are milliseconds of the clients' clock since 1970; all clients share it. */
interface RequestEntry {
  readonly sentAt: number;
  /** When the answer was whole, or the connection gave up. */
  readonly endedAt: number;
  /** The instance, or the proxy before it, that it was sent to. */
  readonly origin: string;
  /** Absent when there was no whole answer: what was done is not known. */
  readonly status?: number;
  /** The `code` of a problem. */
  readonly code?: string;
  /** What ended it instead of an answer: `ECONNRESET`, `timeout`. */
  readonly error?: string;
  /** The order that came with the answer. */
  readonly order?: SeenOrder;
}

/** `POST /api/orders`. The same key may stand in many entries: a client that heard nothing asks again. */
export interface PurchaseEntry extends RequestEntry {
  readonly kind: 'purchase';
  readonly packageId: number;
  readonly email: string;
  readonly key?: string;
}

/** `GET /api/orders/:id?email=…` */
export interface LookUpEntry extends RequestEntry {
  readonly kind: 'look-up';
  readonly orderId: string;
  readonly email: string;
}

/** `POST /api/orders/:id/cancel` */
export interface CancelEntry extends RequestEntry {
  readonly kind: 'cancel';
  readonly orderId: string;
  readonly email: string;
}

/** The figures of a package as `GET /api/packages/:id` showed them. */
export interface FiguresEntry extends RequestEntry {
  readonly kind: 'figures';
  readonly packageId: number;
  readonly figures?: SeenFigures;
}

/** Something that was done to the cluster. */
export interface FaultEntry {
  readonly kind: 'fault';
  readonly at: number;
  /** When it was mended; absent for what happens at one moment. */
  readonly until?: number;
  /** `kill`, `pause`, `step-down`, `kill primary`, `redis wiped`, `redis restarted`, `redis paused`, `delay`, `cut`, … */
  readonly fault: string;
  /** `instance-2`, `mongod-1`, `redis`, `suppliers`. */
  readonly target: string;
}

/** `load`, `drain`, `end`. */
export interface PhaseEntry {
  readonly kind: 'phase';
  readonly at: number;
  readonly phase: string;
}

/** An order as the API showed it. */
export interface SeenOrder {
  readonly id: string;
  readonly packageId: number;
  readonly email: string;
  readonly status: string;
  readonly reason?: string;
  readonly ticketNumber?: string;
  readonly reservationNumber?: string;
  readonly queuePosition?: number;
}

/** A package as the API showed it. */
export interface SeenFigures {
  readonly quota: number;
  readonly remaining: number;
  readonly held: number;
  readonly confirmed: number;
  readonly waiting: number;
}
