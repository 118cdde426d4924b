import { hash } from 'node:crypto';
import { z } from 'zod';
import { noticeEvents, type OrderAt } from '../../domain/notices.ts';
import { orderAnswer, orderView } from '../../http/api/views.ts';

/** The types of events, such as `order.confirmed`. */
export const orderEventTypes = noticeEvents.map((event) => `order.${event}` as const);

/** The body of a webhook. */
export const orderEvent = z.object({
  type: z.enum(orderEventTypes as [(typeof orderEventTypes)[number]]),
  timestamp: orderAnswer.shape.createdAt.meta({ description: 'When it happened.' }),
  data: z.object({
    order: orderAnswer.meta({ description: 'The order as it was then.' }),
  }),
});

export type OrderEvent = z.output<typeof orderEvent>;

export function orderEventView({ event, at, order }: OrderAt): OrderEvent {
  return {
    type: `order.${event}`,
    timestamp: new Date(at).toISOString(),
    data: { order: orderView(order) },
  };
}

/** The id of an event: the same each time it is sent. It is a header, which proxies log, so it tells nothing of the order. */
export function orderEventId({ event, order }: OrderAt): string {
  return `msg_${hash('sha256', `webhook:${event}:${order.id}`).slice(0, 32)}`;
}
