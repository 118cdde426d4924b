import type { Order } from '../../domain/order.ts';
import type { Present } from '../../storage/store.ts';
import { requestCancel, withdraw } from './changes.ts';
import { type Answer, accepted, refused } from './judge.ts';
import type { Decision } from './transactor.ts';

/** What a buyer's cancel comes to without storing anything; undefined when it is to be stored. */
export function cancelAnswer(order: Order): Answer | undefined {
  switch (order.status) {
    case 'queued':
    case 'confirmed':
      return undefined;
    case 'cancelling':
    case 'cancelled':
    case 'withdrawn':
      return accepted(order);
    case 'held':
    case 'compensating':
      return refused('in_progress', order);
    default:
      return refused('not_cancellable', order);
  }
}

/** `present` was read with the order. */
export function decideCancel(present: Present, now: number): Decision<Answer> {
  const [order] = present.orders;
  if (order === undefined) return { result: refused('unknown_order') };
  const answer = cancelAnswer(order);
  if (answer !== undefined) return { result: answer };
  const step = order.status === 'queued' ? withdraw : requestCancel;
  const change = step(present, order, now);
  return { change, result: accepted(change.updated[0] as Order) };
}
