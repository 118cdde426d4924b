import { z } from 'zod';
import { waitSMax } from '../../http/api/headers.ts';
import {
  type OrderView,
  orderAnswer,
  type PackageView,
  packageAnswer,
  packagesAnswer,
} from '../../http/api/views.ts';
import { buyerBody, emailInput, packageIdField, purchaseBody } from '../../http/inputs.ts';
import type { Answer, Link, Operation, Parameter } from '../operation.ts';
import {
  bodyProblems,
  idempotencyKeyParameter,
  orderIdParameter,
  orderLocation,
  preferenceApplied,
} from '../shared.ts';

/* What answers look like, to be read. A test holds them against the schemas. */

const offer = { flight: 'Flight-1', stay: '2030-01-01', price: 100 };

export const packageExample: PackageView = {
  ...{ id: 1, ...offer, quota: 50, remaining: 12, held: 3, confirmed: 35, waiting: 0 },
};

const queued = { at: '2029-06-01T09:00:00.012Z', event: 'queued' } as const;
const claimed = { at: '2029-06-01T09:00:00.012Z', event: 'claimed' } as const;

const order = {
  id: '7Q4M-9XKD-2VBN-H5TR',
  packageId: 1,
  package: offer,
  email: 'ana@example.com',
  createdAt: '2029-06-01T09:00:00.012Z',
} as const;

export const waitingExample: OrderView = { ...order, status: 'queued', queuePosition: 4, timeline: [queued] };

export const confirmedExample: OrderView = {
  ...order,
  status: 'confirmed',
  flight: { ticketNumber: 'F-7Q4M9XKD' },
  hotel: { reservationNumber: 'H-2VBNH5TR' },
  timeline: [
    claimed,
    { at: '2029-06-01T09:00:00.020Z', event: 'flight reserved', detail: 'F-7Q4M9XKD' },
    { at: '2029-06-01T09:00:00.027Z', event: 'hotel reserved', detail: 'H-2VBNH5TR' },
    { at: '2029-06-01T09:00:00.031Z', event: 'confirmed' },
  ],
};

const asked = { at: '2029-06-01T10:00:00.000Z', event: 'cancel requested' } as const;

export const cancellingExample: OrderView = {
  ...confirmedExample,
  status: 'cancelling',
  timeline: [...confirmedExample.timeline, asked],
};

export const cancelledExample: OrderView = {
  ...confirmedExample,
  status: 'cancelled',
  timeline: [
    ...cancellingExample.timeline,
    { at: '2029-06-01T10:00:00.009Z', event: 'hotel cancelled', detail: 'H-2VBNH5TR' },
    { at: '2029-06-01T10:00:00.009Z', event: 'flight cancelled', detail: 'F-7Q4M9XKD' },
    { at: '2029-06-01T10:00:00.013Z', event: 'cancelled' },
  ],
};

const getPackage: Link = {
  operationId: 'getPackage',
  parameters: { 'path.id': '$response.body#/packages/0/id' },
};
const buyFirst: Link = {
  operationId: 'createOrder',
  requestBody: { packageId: '$response.body#/packages/0/id' },
};
const buy: Link = { operationId: 'createOrder', requestBody: { packageId: '$response.body#/id' } };

/** `http/api/packages.ts` */
export const packageOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/packages',
    operationId: 'listPackages',
    tag: 'Packages',
    isLimited: true,
    summary: 'All packages on the list',
    description: 'Those that are not listed, or archived, are found by their id alone.',
    answers: {
      200: {
        description: 'The packages by id, at most 250 ms old.',
        schema: packagesAnswer,
        example: { packages: [packageExample] },
        links: { getPackage, createOrder: buyFirst },
      },
    },
    problems: ['store_unavailable'],
  },
  {
    method: 'get',
    path: '/api/packages/{id}',
    operationId: 'getPackage',
    tag: 'Packages',
    isLimited: true,
    summary: 'One package',
    parameters: [{ in: 'path', name: 'id', schema: packageIdField, example: '1' }],
    answers: {
      200: {
        description: 'The package.',
        schema: packageAnswer,
        example: packageExample,
        links: { createOrder: buy },
      },
    },
    problems: ['unknown_package', 'store_unavailable'],
  },
];

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
