import { z } from 'zod';
import { type NoticeEvent, noticeEvents } from '../domain/notices.ts';
import { orderEvent } from '../notifications/webhook/order-event.ts';
import { answerSchema } from './components.ts';

const summaries: Readonly<Record<NoticeEvent, string>> = {
  payable: 'An order has to be paid until `payBy`',
  confirmed: 'An order is booked',
  failed: 'An order ended without a booking',
  cancelled: 'A booked order was cancelled, and its place is free again',
  refunded: 'The payment of a cancelled order was refunded',
};

const description = `Sent to \`WEBHOOK_URL\`, signed as Standard Webhooks defines it (https://www.standardwebhooks.com).

Each event comes at least once, and the events of an order come in their order. Drop an event whose \`webhook-id\` came
before. An answer 2xx within 15 s means that it was received; otherwise it is sent again, for about 80 minutes.`;

const headers = {
  'webhook-id': 'The id of the event: the same each time that it is sent.',
  'webhook-timestamp': 'When it was sent, in seconds since 1970. Refuse an old one.',
  'webhook-signature':
    '`v1,` and the HMAC-SHA256 of `<id>.<timestamp>.<body>` in base64, with `WEBHOOK_SECRET`.',
};

/** The events that are sent to the hotel's own program: the member `webhooks` of the description. */
export function webhooks(): Record<string, object> {
  return Object.fromEntries(noticeEvents.map((event) => [`order.${event}`, { post: describe(event) }]));
}

function describe(event: NoticeEvent): object {
  const type = { const: `order.${event}` };
  const schema = { allOf: [answerSchema(orderEvent), { type: 'object', properties: { type } }] };
  return {
    operationId: `order${event[0]?.toUpperCase()}${event.slice(1)}Event`,
    tags: ['Orders'],
    summary: summaries[event],
    description,
    parameters: Object.entries(headers).map(([name, words]) => ({
      ...{ in: 'header', name, required: true, description: words },
      schema: answerSchema(z.string()),
    })),
    requestBody: { required: true, content: { 'application/json': { schema } } },
    responses: { '2XX': { description: 'Received.' } },
  };
}
