import type { Erasure } from './change.ts';
import { isSettled, type Order } from './order.ts';

/** What is to be erased now, and how many orders are not there yet. */
export interface EraseOutcome {
  readonly erased: readonly Order[];
  readonly left: number;
}

/**
 * Takes an email, and keys that tell it, out of orders that have ended. An order that has not ended needs its email,
 * for its suppliers ask for it; one that was bought with another email is nobody's business here.
 */
export function eraseEmail(
  email: string,
  erasures: readonly Erasure[],
  find: (orderId: string) => Order | undefined,
  batch?: { isTouched(orderId: string): boolean },
): EraseOutcome {
  const erased: Order[] = [];
  let left = 0;
  for (const erasure of erasures) {
    const order = find(erasure.orderId);
    if (order === undefined || order.email !== email) continue;
    if (isSettled(order) && batch?.isTouched(order.id) !== true) erased.push(withoutEmail(order, erasure));
    else left += 1;
  }
  return { erased, left };
}

function withoutEmail(order: Order, { email, key }: Erasure): Order {
  return { ...order, email, ...(order.key === undefined || key === undefined ? {} : { key }) };
}
