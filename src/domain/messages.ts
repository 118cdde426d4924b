import type { ErrorCode } from './errors.ts';
import type { Order, OrderReason, TimelineEntry } from './order.ts';
import type { Inventory, Offer, PackageSnapshot, TravelPackage } from './travel-package.ts';

export interface Accepted {
  readonly kind: 'accepted';
  /** Stored durably (rule Q6). It may have ended already. */
  readonly order: Order;
}

/** `order` is present if the error is about an order that the caller may see. */
export interface Refused {
  readonly kind: 'refused';
  readonly code: ErrorCode;
  readonly order?: Order;
}

/** The answer about an order, given once the commit of its message is applied. */
export type OrderAnswer = Accepted | Refused;

/** The answer to a message, given once its commit is applied. */
export type Answer =
  | OrderAnswer
  | { readonly kind: 'updated'; readonly package: TravelPackage }
  /** `left`: orders that have not ended. They keep the email until then. */
  | { readonly kind: 'erased'; readonly left: number };

/** Another instance owns the package. Nothing was done here. */
export interface NotOwner {
  readonly kind: 'notOwner';
}

/** Answers the sender of a message. `decide` only passes it on; the code that runs the effects calls it, once. */
export type Reply = (answer: Answer | NotOwner) => void;

/** The place of a message in a trace, if it is traced. */
export interface Traced {
  /** A W3C `traceparent`. */
  readonly trace?: string;
  /** The span of its time in the mailbox. */
  readonly waiting?: { end(): void };
}

export interface Purchase extends Traced {
  readonly kind: 'purchase';
  /** Drawn by the sender, so that the order can be found even if the answer is lost. */
  readonly orderId: string;
  readonly email: string;
  readonly key?: string;
  /** ms since the epoch. After it, a purchase that is not stored yet is refused. */
  readonly deadlineAt: number;
  /** It may be stored already, because the outcome of an earlier commit is unknown. */
  readonly inDoubt?: boolean;
  readonly caller: Reply;
}

export interface Cancel extends Traced {
  readonly kind: 'cancel';
  readonly orderId: string;
  readonly deadlineAt: number;
  readonly caller: Reply;
}

/** The caller hung up and has no key to find the order again. The order leaves the queue if it still waits. */
export interface Withdraw {
  readonly kind: 'withdraw';
  readonly orderId: string;
}

/** Progress or result of a saga. It carries the epoch that the saga ran under; results of older epochs are ignored. */
export type SagaMessage = {
  readonly orderId: string;
  readonly epoch: number;
  /** Timeline entries of the calls to the suppliers, in order. */
  readonly events: readonly TimelineEntry[];
} & SagaResult;

export type SagaResult =
  | { readonly kind: 'progress'; readonly ticketNumber: string }
  | { readonly kind: 'booked'; readonly ticketNumber: string; readonly reservationNumber: string }
  /** Nothing exists at any supplier, so the order fails at once. */
  | { readonly kind: 'refused'; readonly reason: OrderReason }
  /** A reservation may exist at a supplier and must be cancelled. */
  | { readonly kind: 'needsCompensation'; readonly reason: OrderReason; readonly ticketNumber?: string }
  /** Both suppliers have confirmed the cancellation. */
  | { readonly kind: 'compensated' };

/** An operator changes the package, based on the version that was read. */
export interface UpdatePackage extends PackageUpdate {
  readonly kind: 'update';
  readonly deadlineAt: number;
  /** It may be stored already, because the outcome of an earlier commit is unknown. */
  readonly inDoubt?: boolean;
  readonly caller: Reply;
}

/** An operator has the order's next step tried at once, without waiting for its retry time. */
export interface Retry {
  readonly kind: 'retry';
  readonly orderId: string;
  readonly deadlineAt: number;
  readonly caller: Reply;
}

/** An operator erases an email from orders that have ended. */
export interface Erase {
  readonly kind: 'erase';
  readonly email: string;
  readonly erasures: readonly Erasure[];
  readonly deadlineAt: number;
  readonly caller: Reply;
}

/** The circuit breaker of the suppliers has opened or closed. */
export interface SuppliersChanged {
  readonly kind: 'suppliers';
  readonly available: boolean;
}

/** Serves the queue, or goes on rejecting it after a sell-out. */
export interface Tick {
  readonly kind: 'tick';
}

export type PackageMessage =
  | Purchase
  | Cancel
  | Withdraw
  | SagaMessage
  | UpdatePackage
  | Retry
  | Erase
  | SuppliersChanged
  | Tick;

/** A message with a caller, who waits for the answer. */
export type CommandMessage = Extract<PackageMessage, { caller: unknown }>;

/** Marks messages whose commit may have been applied. Their orders are looked up before they are stored again. */
export function inDoubt(batch: readonly PackageMessage[]): PackageMessage[] {
  return batch.map((message) =>
    message.kind === 'purchase' || message.kind === 'update' ? { ...message, inDoubt: true } : message,
  );
}

/**
 * New values of a package, based on the version that was read. Members that are absent stay as they are. Orders keep
 * the package as it was when they were made.
 */
export interface PackageUpdate extends Partial<Offer> {
  readonly version: number;
  /** Never below held + confirmed: `quota_too_low`. */
  readonly quota?: number;
  /** Null removes the limit. */
  readonly opensAt?: number | null;
  readonly closesAt?: number | null;
  readonly paused?: boolean;
  readonly listed?: boolean;
  /** Ends the sale for good. Refused with `sale_not_ended` while the package can be bought or has unfinished orders. */
  readonly archived?: true;
}

/** The random email, and key, that replace those of an order. The caller draws them, so the command can be repeated. */
export interface Erasure {
  readonly orderId: string;
  readonly email: string;
  readonly key?: string;
}

/** Everything that one commit writes, all of it or nothing. */
export interface Change {
  /** The complete new inventory. */
  readonly inventory: Inventory;
  /** The package, if an operator changed it. */
  readonly package?: TravelPackage;
  readonly inserted: readonly Order[];
  /** Complete orders, which replace those with the same id. */
  readonly updated: readonly Order[];
  /** Complete orders that have ended, with another email and perhaps another key. Nothing else has changed. */
  readonly erased?: readonly Order[];
}

/** Something to do once the change is known to be applied. */
export type Effect =
  | { readonly kind: 'answer'; readonly caller: Reply; readonly answer: Answer }
  /** Books a held order at the suppliers. */
  | { readonly kind: 'book'; readonly order: Order }
  /** Cancels the reservations of a compensating or cancelling order. */
  | { readonly kind: 'compensate'; readonly order: Order }
  /** Restarts the order's saga. */
  | { readonly kind: 'retry'; readonly order: Order }
  /** More work is left than one commit should take: a `tick` follows. */
  | { readonly kind: 'continue' };

/** Proof of ownership. A commit applies only while the stored package carries the same epoch and seq. */
export interface Fence {
  readonly epoch: number;
  /** Grows by one with every commit. */
  readonly seq: number;
}

/** The package and its unfinished orders, which a new owner reads after its epoch is durable. */
export interface Ownership extends PackageSnapshot {
  readonly fence: Fence;
  /** The instance that owned it before; absent if there was none. */
  readonly former?: string;
  /** Every order of the package that is queued, held, compensating or cancelling, by number. */
  readonly unfinished: readonly Order[];
}
