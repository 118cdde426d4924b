import type { Erasure, PackageUpdate } from './change.ts';
import type { ErrorCode } from './errors.ts';
import type { Order, OrderReason, TimelineEntry } from './order.ts';
import type { TravelPackage } from './travel-package.ts';

/** What a caller hears of an order once its message's commit is applied. */
export type OrderAnswer =
  | { readonly kind: 'accepted'; readonly order: Order }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly order?: Order };

/** What a caller hears once its message's commit is applied. */
export type Answer =
  | OrderAnswer
  | { readonly kind: 'updated'; readonly package: TravelPackage }
  | { readonly kind: 'erased'; readonly left: number };

/** The package's owner is another instance: nothing was done here. */
export interface NotOwner {
  readonly kind: 'notOwner';
}

/** An opaque token to the pure step; whoever performs the effects calls it, once. */
export type Reply = (answer: Answer | NotOwner) => void;

/** Where a caller's message belongs in a trace, if it is traced. */
export interface Traced {
  /** A W3C `traceparent`. */
  readonly trace?: string;
  /** Its time in the mailbox. */
  readonly waiting?: { end(): void };
}

export interface Purchase extends Traced {
  readonly kind: 'purchase';
  /** Drawn by the sender, so that it can be looked up whatever becomes of the answer. */
  readonly orderId: string;
  readonly email: string;
  readonly key?: string;
  /** ms since the epoch: past it the message is dropped unless it is stored. */
  readonly deadlineAt: number;
  /** It may be stored already: a former commit's outcome is unknown. */
  readonly inDoubt?: boolean;
  readonly caller: Reply;
}

export interface Cancel extends Traced {
  readonly kind: 'cancel';
  readonly orderId: string;
  readonly deadlineAt: number;
  readonly caller: Reply;
}

/** Its caller hung up without a key to come back with: it leaves the line if it is still there. */
export interface Withdraw {
  readonly kind: 'withdraw';
  readonly orderId: string;
}

/** How a saga went on, or ended. Carries the epoch it ran under: an older one is not believed. */
export type SagaMessage = {
  readonly orderId: string;
  readonly epoch: number;
  /** What happened at the suppliers, in order. */
  readonly events: readonly TimelineEntry[];
} & SagaResult;

export type SagaResult =
  | { readonly kind: 'progress'; readonly ticketNumber: string }
  | { readonly kind: 'booked'; readonly ticketNumber: string; readonly reservationNumber: string }
  /** Nothing exists at any supplier: it can fail at once. */
  | { readonly kind: 'refused'; readonly reason: OrderReason }
  /** Something may exist at a supplier: a cancel is owed. */
  | { readonly kind: 'needsCompensation'; readonly reason: OrderReason; readonly ticketNumber?: string }
  /** Every owed cancel is known to be done. */
  | { readonly kind: 'compensated' };

/** An operator's change, made to the version that was read. */
export interface UpdatePackage extends PackageUpdate {
  readonly kind: 'update';
  readonly deadlineAt: number;
  /** It may be stored already: a former commit's outcome is unknown. */
  readonly inDoubt?: boolean;
  readonly caller: Reply;
}

/** An operator wants what the order waits for tried at once. */
export interface Retry {
  readonly kind: 'retry';
  readonly orderId: string;
  readonly deadlineAt: number;
  readonly caller: Reply;
}

/** An operator wants an email gone from orders that have ended. */
export interface Erase {
  readonly kind: 'erase';
  readonly email: string;
  readonly erasures: readonly Erasure[];
  readonly deadlineAt: number;
  readonly caller: Reply;
}

/** The suppliers' breaker has opened or closed. */
export interface SuppliersChanged {
  readonly kind: 'suppliers';
  readonly available: boolean;
}

/** There may be something to do without a message: serve the line, or go on refusing it. */
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

/** The messages of a batch whose commit may or may not be applied: what they store is looked up before it is stored. */
export function inDoubt(batch: readonly PackageMessage[]): PackageMessage[] {
  return batch.map((message) =>
    message.kind === 'purchase' || message.kind === 'update' ? { ...message, inDoubt: true } : message,
  );
}
