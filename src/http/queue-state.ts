import type { Order } from '../domain/order.ts';
import type { BookingEngine, EstimatedWait } from '../engine/engine.ts';

/** Where a queued order stands. */
export interface QueueState {
  /** The position in the queue, from 1; undefined if it is not known. */
  readonly queuePosition: number | undefined;
  /** Undefined if it is not known. */
  readonly estimatedWait: EstimatedWait | undefined;
}

/** Where an order stands in its queue; undefined if the order is not queued. */
export function queueStateOf(
  engine: Pick<BookingEngine, 'queuePosition' | 'estimatedWait'>,
  order: Order,
): QueueState | undefined {
  if (order.status !== 'queued') return undefined;
  const queuePosition = engine.queuePosition(order);
  const estimatedWait =
    queuePosition === undefined ? undefined : engine.estimatedWait(order.packageId, queuePosition);
  return { queuePosition, estimatedWait };
}
