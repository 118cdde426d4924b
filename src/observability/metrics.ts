import type { ErrorCode } from '../domain/errors.ts';
import type { Change } from '../domain/messages.ts';
import type { SupplierKind } from '../suppliers/suppliers.ts';

/** How a purchase was answered: with a confirmed order, with one that goes on, or with an error of the catalogue. */
export type PurchaseOutcome = 'confirmed' | 'accepted' | ErrorCode;
export type CommitOutcome = 'applied' | 'fenced' | 'unknown' | 'unavailable' | 'refused';
export type SagaKind = 'book' | 'clear';
/** `stopped`: its activation ended first, and the next owner goes on with it. `failed`: a bug. */
export type SagaOutcome = 'booked' | 'refused' | 'owing' | 'cleared' | 'stopped' | 'failed';
export type SupplierCallOutcome = 'reserved' | 'refused' | 'cancelled' | 'unknown';
/** How a message to another instance fared. */
export type MessageOutcome = 'answered' | 'no_answer' | 'inbox_full' | 'unavailable';

/** A figure that is read when somebody looks: at most every few seconds, so it need not be kept in between. */
export type GaugeName =
  | 'active_actors'
  | 'mailbox_messages'
  | 'mailbox_messages_max'
  | 'inbox_messages'
  | 'sockets';

/**
 * What an instance tells about itself while it works. Called on the hot path, so every call is a few ns, allocates
 * little, never throws and never waits; nobody decides anything by it. Times are taken by the implementation, from
 * the call to the call of the function that it returns (once), so that what is measured needs no clock.
 */
export interface Metrics {
  purchase(outcome: PurchaseOutcome): void;
  /** @param route a pattern such as `/api/orders/:id`, of which there are few. */
  request(route: string, method: string, status: number, seconds: number): void;
  /** How many messages one batch of an actor takes. */
  batch(messages: number): void;
  /** A commit begins. */
  commit(): (end: CommitOutcome) => void;
  /** What a commit stored, once it is known to be applied. */
  committed(change: Change): void;
  /** An owner that had lost its lease noticed it before it wrote. */
  staleWrite(): void;
  /** An owner said sold out although it had been replaced, and was not believed. */
  staleRefusal(): void;
  /** A package has been taken over. */
  takeover(hadUnfinishedOrders: boolean): void;
  /** A saga is due. */
  saga(kind: SagaKind): (end: SagaOutcome) => void;
  /** One attempt at a supplier. */
  supplierCall(kind: SupplierKind): (end: SupplierCallOutcome) => void;
  breaker(kind: SupplierKind, isOpen: boolean): void;
  message(end: MessageOutcome): void;
  /** Replaces what was read under that name before. What it throws, or has not in time, is left out. */
  gauge(name: GaugeName, read: () => number | Promise<number>): void;
}

const ignore = () => {};
const ignoreEnd = () => ignore;

/** Tells nobody: for tests and for the simulation. */
export const noMetrics: Metrics = {
  purchase: ignore,
  request: ignore,
  batch: ignore,
  commit: ignoreEnd,
  committed: ignore,
  staleWrite: ignore,
  staleRefusal: ignore,
  takeover: ignore,
  saga: ignoreEnd,
  supplierCall: ignoreEnd,
  breaker: ignore,
  message: ignore,
  gauge: ignore,
};
