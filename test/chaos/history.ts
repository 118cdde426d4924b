/**
 * The record of a chaos run, one line of JSON for each entry: requests of clients with their answers, and faults. The
 * checker and the timeline read nothing else.
 */
export type HistoryEntry =
  | PurchaseEntry
  | LookUpEntry
  | CancelEntry
  | InventoryEntry
  | UpdateEntry
  | RetryEntry
  | EraseEntry
  | PayEntry
  | EventEntry
  | FaultEntry
  | PhaseEntry;

/** A request of a client. Times are ms since 1970 by the clock that all clients share. */
interface RequestEntry {
  readonly sentAt: number;
  /** When the answer was complete, or the request failed. */
  readonly endedAt: number;
  /** The instance, or its proxy, that the request was sent to. */
  readonly origin: string;
  /** The HTTP status. Absent without a complete answer; then the effect of the request is unknown. */
  readonly status?: number;
  /** The `code` of a problem. */
  readonly code?: string;
  /** The error instead of an answer: `ECONNRESET`, `timeout`. */
  readonly error?: string;
  /** The order in the answer. */
  readonly order?: SeenOrder;
}

/** `POST /api/orders`. Several entries may have the same key, because clients without an answer retry. */
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

/** The inventory of a package as `GET /api/packages/:id` showed it. */
export interface InventoryEntry extends RequestEntry {
  readonly kind: 'figures';
  readonly packageId: number;
  readonly figures?: SeenInventory;
}

/** An operator's `PATCH /api/admin/packages/:id`, or `POST` of its `pause` or `resume`. */
export interface UpdateEntry extends RequestEntry {
  readonly kind: 'update' | 'pause' | 'resume';
  readonly packageId: number;
  /** The new quota of an `update`. */
  readonly quota?: number;
  /** The package in the answer. */
  readonly updated?: SeenPackage;
}

/** An operator's `POST /api/admin/orders/:id/retry` */
export interface RetryEntry extends RequestEntry {
  readonly kind: 'retry';
  readonly orderId: string;
}

/** An operator's `POST /api/admin/erase` */
export interface EraseEntry extends RequestEntry {
  readonly kind: 'erase';
  readonly email: string;
  /** How many orders had not ended and keep the email. Absent without a good answer. */
  readonly left?: number;
}

/** A buyer's `POST` at the page of the payment provider: the buyer pays, or the bank declines. */
export interface PayEntry extends RequestEntry {
  readonly kind: 'pay' | 'decline';
  readonly orderId: string;
}

/** What happens to an event between the payment provider and the instances. */
export type EventTreatment = 'passed' | 'lost' | 'repeated' | 'late' | 'forged';

/** An event of the payment provider, sent to `POST /api/payments/events`. A lost one was not sent. */
export interface EventEntry extends RequestEntry {
  readonly kind: 'event';
  readonly treatment: EventTreatment;
  readonly orderId: string;
}

/** A fault of the cluster. */
export interface FaultEntry {
  readonly kind: 'fault';
  readonly at: number;
  /** When the fault was healed; absent for a fault without duration. */
  readonly until?: number;
  /** `kill`, `pause`, `step-down`, `kill primary`, `redis wiped`, `redis restarted`, `redis paused`, `delay`, `cut`, … */
  readonly fault: string;
  /** `instance-2`, `mongod-1`, `redis`, `suppliers`, `payments`. */
  readonly target: string;
}

/** The beginning of `load`, `drain` or `end`. */
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
  /** Where the order is paid, and until when, in ms since 1970. Only of a payable order. */
  readonly paymentUrl?: string;
  readonly payBy?: number;
}

/** A package as the admin API showed it. */
export interface SeenPackage {
  readonly version: number;
  readonly quota: number;
  readonly paused: boolean;
}

/** A package as the API showed it. */
export interface SeenInventory {
  readonly quota: number;
  readonly remaining: number;
  readonly held: number;
  readonly confirmed: number;
  readonly waiting: number;
}
