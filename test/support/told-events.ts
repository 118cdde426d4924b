import type { NoticeEvent } from '../../src/domain/notices.ts';
import type { Order, TimelineEvent } from '../../src/domain/order.ts';

/** What is told after each entry of a timeline. Written without the product's own table, because that table may be wrong. */
const told: Readonly<Partial<Record<TimelineEvent, NoticeEvent>>> = {
  'payment due': 'payable',
  confirmed: 'confirmed',
  failed: 'failed',
  'sold out': 'failed',
  cancelled: 'cancelled',
};

/** The events of an order that have to be told, in their order. */
export function toldEventsOf({ timeline }: Order): NoticeEvent[] {
  const events = timeline.flatMap(({ event }) => told[event] ?? []);
  const isRefunded = events.includes('cancelled') && timeline.some(({ event }) => event === 'paid');
  return isRefunded ? [...events, 'refunded'] : events;
}

/** The subject of the mail about each event, in English. */
export const mailSubjects: Readonly<Record<NoticeEvent, string>> = {
  payable: 'Please pay for your trip',
  confirmed: 'Your trip is booked',
  failed: 'Your trip was not booked',
  cancelled: 'Your trip is cancelled',
  refunded: 'Your payment is refunded',
};
