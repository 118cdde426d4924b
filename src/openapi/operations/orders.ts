import { z } from 'zod';
import { orderAnswer } from '../../http/api/answers.ts';
import { waitSMax } from '../../http/api/prefer.ts';
import { buyerBody, purchaseBody } from '../../http/api/requests.ts';
import { emailInput } from '../../http/inputs.ts';
import type { OrderView } from '../../http/views.ts';
import { orderLocation, preferenceApplied } from '../headers.ts';
import type { Answer, Link, Operation, Parameter } from '../operation.ts';
import { bodyProblems } from '../problems.ts';
import { cancelledExample, cancellingExample, confirmedExample, waitingExample } from './examples.ts';
import { idempotencyKeyParameter, orderIdParameter } from './parameters.ts';

const prefer: Parameter = {
  in: 'header',
  name: 'Prefer',
  schema: z.string(),
  description:
    `RFC 7240. \`respond-async\`: answer as soon as the order is stored. \`wait=N\`: wait for the outcome N seconds ` +
    `at most, instead of ${waitSMax}. Anything else is ignored.`,
  example: 'wait=5',
};

const links: Record<string, Link> = {
  getOrder: {
    operationId: 'getOrder',
    parameters: { 'path.id': '$response.body#/id', 'query.email': '$response.body#/email' },
  },
  cancelOrder: {
    operationId: 'cancelOrder',
    parameters: { 'path.id': '$response.body#/id' },
    requestBody: { email: '$response.body#/email' },
  },
};

const settled = (description: string, example: OrderView): Answer => ({
  description,
  schema: orderAnswer,
  example,
  headers: { Location: orderLocation, 'Preference-Applied': preferenceApplied },
  links,
});

/** `http/api/orders.ts` */
export const orderOperations: readonly Operation[] = [
  {
    method: 'post',
    path: '/api/orders',
    operationId: 'createOrder',
    tag: 'Orders',
    isLimited: true,
    summary: 'Buy a package',
    description:
      'Waits for the outcome, unless told otherwise. A 5xx answer without an order says nothing of the outcome: ' +
      'repeat the request with the same Idempotency-Key. A caller without a key who hangs up while waiting in the ' +
      'line leaves it.',
    parameters: [idempotencyKeyParameter('The same key with the same body gets the same order.'), prefer],
    body: { schema: purchaseBody, example: { packageId: 1, email: 'ana@example.com' } },
    answers: {
      200: settled(
        'The order of this key, which has been cancelled or has left the queue since.',
        cancelledExample,
      ),
      201: settled('Booked: the order is confirmed.', confirmedExample),
      202: settled('Accepted, and certain to come to an outcome: look it up.', waitingExample),
    },
    problems: [
      ...bodyProblems,
      'key_reused',
      'unknown_package',
      'sold_out',
      'queue_full',
      'not_open',
      'sale_closed',
      'order_limit',
      'internal',
      'supplier_failed',
      'overloaded',
      'no_owner',
      'paused',
      'store_unavailable',
    ],
  },
  {
    method: 'get',
    path: '/api/orders/{id}',
    operationId: 'getOrder',
    tag: 'Orders',
    isLimited: true,
    summary: 'Look up an order',
    parameters: [
      orderIdParameter,
      {
        in: 'query',
        name: 'email',
        schema: emailInput,
        description: 'The email that it was bought with. Every miss gets the same answer.',
        required: true,
        example: 'ana@example.com',
      },
    ],
    answers: { 200: { description: 'The order.', schema: orderAnswer, example: confirmedExample, links } },
    problems: ['invalid', 'unknown_order', 'store_unavailable'],
  },
  {
    method: 'post',
    path: '/api/orders/{id}/cancel',
    operationId: 'cancelOrder',
    tag: 'Orders',
    isLimited: true,
    summary: 'Cancel a booking, or leave the queue',
    description: 'Waits until it is done, unless told otherwise. Repeating it is harmless.',
    parameters: [orderIdParameter, prefer],
    body: { schema: buyerBody, example: { email: 'ana@example.com' } },
    answers: {
      200: settled('It is cancelled, or has left the queue.', cancelledExample),
      202: settled('It is being cancelled.', cancellingExample),
    },
    problems: [
      ...bodyProblems,
      'unknown_order',
      'in_progress',
      'not_cancellable',
      'internal',
      'overloaded',
      'no_owner',
      'store_unavailable',
    ],
  },
];
