import { z } from 'zod';
import { paymentEventBody } from '../../http/inputs.ts';
import { defineOperations, type Parameter } from '../operation.ts';

function header(name: string, description: string): Parameter {
  return { in: 'header', name, description, schema: z.string(), required: true };
}

/** The operation of `src/http/api/payment-events.ts`. */
export const paymentOperations = defineOperations('Payments', {
  'post /api/payments/events': {
    operationId: 'receivePaymentEvent',
    isLimited: true,
    summary: 'An event of the payment provider',
    description:
      'Signed as Standard Webhooks defines, with PAYMENTS_WEBHOOK_SECRET. An event only makes the server look the payment ' +
      'of this order up. An event that came before, or about an order that does not wait for a payment, changes nothing.',
    parameters: [
      header('webhook-id', 'The same for each repetition of the event.'),
      header('webhook-timestamp', 'When it was sent, in Unix seconds: at most 5 minutes ago.'),
      header('webhook-signature', 'One or several signatures, with blanks between them.'),
    ],
    body: {
      schema: paymentEventBody,
      example: {
        type: 'payment.paid',
        timestamp: '2029-06-01T09:01:00.000Z',
        data: { key: '7Q4M-9XKD-2VBN-H5TR' },
      },
    },
    answers: { 204: ['Received.'] },
    problems: ['invalid_signature', 'unknown_route', 'unknown_order', 'overloaded', 'no_owner'],
  },
});
