import type { ErrorCode } from './errors.ts';
import type { OrderAnswer } from './messages.ts';
import { isTripOver, type Order } from './order.ts';
import {
  type Inventory,
  isSoldOut,
  type QueueLimits,
  queueCapacity,
  salePhase,
  type TravelPackage,
} from './travel-package.ts';

/* Answers that change nothing. The decision gives them, and engines give them early, without a decision. */

/**
 * The answer to a cancel that changes nothing; undefined if the order can be withdrawn or cancelled.
 * @param now Unix time in ms
 */
export function cancelAnswer(order: Order, now: number): OrderAnswer | undefined {
  // Its buyer has cancelled it before, and repeating a cancel is harmless.
  if (order.reason === 'payment_abandoned') return { kind: 'accepted', order };
  switch (order.status) {
    case 'queued':
    case 'payable':
      return undefined;
    case 'confirmed':
      return isTripOver(order, now) ? { kind: 'refused', code: 'trip_over', order } : undefined;
    case 'cancelling':
    case 'cancelled':
    case 'withdrawn':
      return { kind: 'accepted', order };
    case 'held':
    case 'compensating':
      return { kind: 'refused', code: 'in_progress', order };
    default:
      return { kind: 'refused', code: 'not_cancellable', order };
  }
}

/** The answer to a purchase with a key that is in use (rule Q7); undefined if the key is new. */
export function keyAnswer(order: Order | undefined, email: string): OrderAnswer | undefined {
  if (order === undefined) return undefined;
  return order.email === email ? { kind: 'accepted', order } : { kind: 'refused', code: 'key_reused' };
}

/**
 * The reason why a package accepts no purchase now; undefined if it accepts one. The reason depends on no single order,
 * so any instance can refuse from a fresh snapshot.
 */
export function saleObstacle(
  travelPackage: TravelPackage,
  inventory: Inventory,
  now: number,
  limits: QueueLimits,
  suppliersAvailable: boolean,
): ErrorCode | undefined {
  if (travelPackage.archived === true) return 'sale_closed';
  if (travelPackage.paused === true) return 'paused';
  const phase = salePhase(travelPackage, now);
  if (phase === 'not_open') return 'not_open';
  if (phase === 'closed') return 'sale_closed';
  if (isSoldOut(travelPackage.quota, inventory)) return 'sold_out';
  const isClaimedAtOnce = suppliersAvailable && inventory.remaining > 0 && inventory.waiting === 0;
  const isQueueFull = inventory.waiting >= queueCapacity(travelPackage.quota, limits);
  return isQueueFull && !isClaimedAtOnce ? 'queue_full' : undefined;
}

/** The error of an order that has failed, or is about to. */
export function failureOf({ reason }: Order): ErrorCode {
  return reason === 'payment_declined' || reason === 'payment_expired' ? reason : 'supplier_failed';
}
