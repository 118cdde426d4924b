import { type Notice, type NoticeChannel, noticeChannels, noticeEvents } from '../domain/notices.ts';
import type { Order } from '../domain/order.ts';
import type { Page } from '../lib/page.ts';

/** An order with the notices of one channel that are owed, in the order of their events. */
export interface OwedOrder {
  readonly order: Order;
  readonly notices: readonly Notice[];
}

/** A notice that could not be delivered, and waits for an operator. */
export interface DeadLetter extends Notice {
  readonly packageId: number;
  /** When it was given up, as Unix time in ms. */
  readonly at: number;
  readonly attempts: number;
  /** Why the last attempt failed. Never contains an email. */
  readonly reason: string;
}

/** The dead letters that are owed again, and how many were left because their orders have changed since. */
export interface Revived {
  readonly letters: readonly DeadLetter[];
  readonly outdated: number;
}

/**
 * The notices that the stored orders owe. `Store.commit` adds them together with the change of the order, so no crash
 * loses one; here they are read and settled, without a fence. So a replaced owner may deliver a notice that the present
 * one delivers too, and nobody can lose one.
 *
 * Each method may be repeated, and throws StoreUnavailableError.
 */
export interface OutboxStore {
  /**
   * The orders of a package that owe notices of a channel, by id. The cursor is `next` of the page before. An order that
   * cannot be read is left out, and keeps its notices.
   */
  owed(
    channel: NoticeChannel,
    packageId: number,
    cursor: string | undefined,
    limit: number,
  ): Promise<Page<OwedOrder>>;
  /** The ids of the packages whose orders owe notices of one of these channels. */
  packagesOwing(channels: readonly NoticeChannel[]): Promise<number[]>;
  /** Removes notices that were delivered, and turns those that were given up into dead letters. */
  settle(packageId: number, delivered: readonly Notice[], givenUp: readonly DeadLetter[]): Promise<void>;
  /** The dead letters, newest first. The cursor is `next` of the page before. */
  deadLetters(cursor: string | undefined, limit: number): Promise<Page<DeadLetter>>;
  /**
   * Owes the notices of these dead letters again. One that does not exist, or whose order does not exist any more, is not
   * counted. One whose order has changed since stays a dead letter, because later events may have been told already.
   * @param ids see {@link noticeId}
   */
  revive(ids: readonly string[]): Promise<Revived>;
  /** Deletes these dead letters. Returns how many there were. */
  discard(ids: readonly string[]): Promise<number>;
}

/** The id of a notice: `7Q4M-9XKD-2VBN-H5TR.confirmed.mail`. */
export function noticeId({ orderId, event, channel }: Notice): string {
  return `${orderId}.${event}.${channel}`;
}

/** The ids of all notices that an order may have. */
export function noticeIdsOf(orderId: string): string[] {
  return noticeEvents.flatMap((event) =>
    noticeChannels.map((channel) => noticeId({ orderId, event, channel })),
  );
}
