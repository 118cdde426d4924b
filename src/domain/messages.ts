import type { ErrorCode } from './errors.ts';
import type { Notice } from './notices.ts';
import {
  type Order,
  type OrderReason,
  type OrderStatus,
  owedStatuses,
  type Reserved,
  type TimelineEntry,
  type UnpaidReason,
} from './order.ts';
import type { Inventory, Offer, PackageSnapshot, TravelPackage } from './travel-package.ts';

export interface Accepted {
  readonly kind: 'accepted';
  /** The order, which is stored durably (rule Q6). It may have ended already. */
  readonly order: Order;
}

/** A refusal with an error code. `order` is present if the error is about an order that the caller may see. */
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
  /** `left` is the number of orders that keep the email, because they have not ended. */
  | { readonly kind: 'erased'; readonly left: number };

/** Another instance owns the package. Nothing was done here. */
export interface NotOwner {
  readonly kind: 'notOwner';
}

/**
 * Answers the sender of a message. `decide` only passes this function on. The code that runs the effects calls it once.
 */
export type Reply = (answer: Answer | NotOwner) => void;

/** The trace that a message belongs to, if requests are traced. */
export interface Traced {
  /** The sender's span, as a W3C `traceparent`. */
  readonly trace?: string;
  /** The span of the message's time in the mailbox. */
  readonly waiting?: { end(): void };
}

export interface Purchase extends Traced {
  readonly kind: 'purchase';
  /** The id of the order. The sender generates it, so that the order can be found even if the answer is lost. */
  readonly orderId: string;
  readonly email: string;
  readonly key?: string;
  /** As in the order. */
  readonly language?: string;
  /** A purchase that is not stored by this time is refused. In ms on the owner's monotonic clock. */
  readonly deadlineAt: number;
  /** True if the change may be stored already, because the outcome of an earlier commit is unknown. */
  readonly inDoubt?: boolean;
  readonly caller: Reply;
}

export interface Cancel extends Traced {
  readonly kind: 'cancel';
  readonly orderId: string;
  readonly deadlineAt: number;
  readonly caller: Reply;
}

/** Withdraws an order that still waits, because its caller hung up and has no key to find the order again. */
export interface Withdraw {
  readonly kind: 'withdraw';
  readonly orderId: string;
}

/** Progress or result of a saga, with the epoch under which the saga ran. Results of older epochs are ignored. */
export type SagaMessage = {
  readonly orderId: string;
  readonly epoch: number;
  /** Timeline entries of the calls to the suppliers, oldest first. */
  readonly events: readonly TimelineEntry[];
} & SagaResult;

export type SagaResult =
  | { readonly kind: 'progress'; readonly reserved: Reserved }
  | { readonly kind: 'booked'; readonly reserved: Required<Reserved> }
  /** Flight and hotel are reserved, and the provider has the payment, at this address. */
  | { readonly kind: 'paymentDue'; readonly reserved: Required<Reserved>; readonly url: string }
  /** The provider's ledger says that the payable order is paid. */
  | { readonly kind: 'paid' }
  /** The payable order will not be paid. Its payment, and what is reserved, must be cancelled. */
  | { readonly kind: 'unpaid'; readonly reason: UnpaidReason }
  /**
   * The saga knows of no reservation at any supplier, so the order fails at once, unless another process may have
   * reserved a flight.
   */
  | { readonly kind: 'refused'; readonly reason: OrderReason }
  /** A reservation may exist at a supplier and must be cancelled. */
  | { readonly kind: 'needsCompensation'; readonly reason: OrderReason; readonly reserved: Reserved }
  /** Both suppliers, and the payment provider if the order has a payment, have confirmed the cancellation. */
  | { readonly kind: 'compensated' };

/** The statuses in which an order takes each result of a saga. A result for any other status is of a former saga. */
export const expectedStatuses: Readonly<Record<SagaResult['kind'], readonly OrderStatus[]>> = {
  progress: ['held'],
  booked: ['held'],
  paymentDue: ['held'],
  refused: ['held'],
  needsCompensation: ['held'],
  paid: ['payable'],
  unpaid: ['payable'],
  compensated: owedStatuses,
};

/** An operator changes the package, based on the version that was read. */
export interface UpdatePackage extends PackageUpdate {
  readonly kind: 'update';
  readonly deadlineAt: number;
  /** True if the change may be stored already, because the outcome of an earlier commit is unknown. */
  readonly inDoubt?: boolean;
  readonly caller: Reply;
}

/** An operator requests the order's next step at once, without the pause before a retry. */
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

/** Serves the queue, or continues to reject queued orders after a sell-out. */
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

/**
 * Marks messages as in doubt, because their commit may have been applied. Their orders are looked up before a new
 * attempt.
 */
export function inDoubt(batch: readonly PackageMessage[]): PackageMessage[] {
  return batch.map((message) =>
    message.kind === 'purchase' || message.kind === 'update' ? { ...message, inDoubt: true } : message,
  );
}

/**
 * New values of a package, based on the version that was read. Absent members leave their values unchanged. Existing
 * orders keep the package as it was at their purchase.
 */
export interface PackageUpdate extends Partial<Offer> {
  readonly version: number;
  /** A quota below held + confirmed is refused with `quota_too_low`. */
  readonly quota?: number;
  /** Null removes the limit. */
  readonly opensAt?: number | null;
  readonly closesAt?: number | null;
  readonly paused?: boolean;
  readonly listed?: boolean;
  /** Ends the sale for good. Refused with `sale_not_ended` while the package can be bought or has unfinished orders. */
  readonly archived?: true;
}

/**
 * The random email and key that replace the email and key of an order. The caller generates both, so the command can be
 * repeated.
 */
export interface Erasure {
  readonly orderId: string;
  readonly email: string;
  readonly key?: string;
}

/** Everything that one commit writes. Either all of it is stored or nothing. */
export interface Change {
  /** The complete new inventory. */
  readonly inventory: Inventory;
  /** The package, if an operator changed it. */
  readonly package?: TravelPackage;
  readonly inserted: readonly Order[];
  /** Complete orders, which replace the stored orders with the same id. */
  readonly updated: readonly Order[];
  /** Complete orders that have ended, with a new email and sometimes a new key. All other members are unchanged. */
  readonly erased?: readonly Order[];
  /** The notices that this change owes. Absent if there are none. */
  readonly notices?: readonly Notice[];
}

/** An action to run once the change is known to be applied. */
export type Effect =
  | { readonly kind: 'answer'; readonly caller: Reply; readonly answer: Answer }
  /** Books an order at the suppliers, for the first time: the batch has claimed its unit. */
  | { readonly kind: 'book'; readonly order: Order }
  /** Waits for the payment of a payable order. */
  | { readonly kind: 'awaitPayment'; readonly order: Order }
  /** Cancels the reservations of a compensating or cancelling order. */
  | { readonly kind: 'compensate'; readonly order: Order }
  /** Restarts the order's saga. */
  | { readonly kind: 'retry'; readonly order: Order }
  /** Requests a `tick`, because more work is left than one commit should contain. */
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
  /** The instance that owned the package before; absent if it had no owner. */
  readonly former?: string;
  /** All orders of the package that are queued, held, payable, compensating or cancelling, sorted by number. */
  readonly unfinished: readonly Order[];
}
