import type { Order } from '../domain/order.ts';

/** A position in a walk through orders from the greatest package and number down. */
interface Place {
  readonly packageId: number;
  readonly number: number;
}

/** The position that a cursor names; without a valid cursor, the position above all orders. */
export function parseOrderCursor(cursor: string | undefined): Place {
  const place = /^(?<packageId>\d{1,15})-(?<number>\d{1,15})$/.exec(cursor ?? '')?.groups;
  const top = Number.MAX_SAFE_INTEGER;
  return { packageId: Number(place?.packageId ?? top), number: Number(place?.number ?? top) };
}

export function orderCursorAfter({ packageId, number }: Order): string {
  return `${packageId}-${number}`;
}
