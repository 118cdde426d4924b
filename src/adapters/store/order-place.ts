import type { Order } from '../../domain/order.ts';

interface Place {
  readonly packageId: number;
  readonly number: number;
}

/** Where a walk from the greatest package and number down goes on; what is no place begins at the top. */
export function placeOf(cursor: string | undefined): Place {
  const place = /^(?<packageId>\d{1,15})-(?<number>\d{1,15})$/.exec(cursor ?? '')?.groups;
  const top = Number.MAX_SAFE_INTEGER;
  return { packageId: Number(place?.packageId ?? top), number: Number(place?.number ?? top) };
}

export function placeAfter({ packageId, number }: Order): string {
  return `${packageId}-${number}`;
}
