import { z } from 'zod';
import {
  type OrderView,
  orderAnswer,
  type PackageView,
  packageAnswer,
  packagesAnswer,
} from '../../http/api/views.ts';
import { emailInput } from '../../http/email.ts';
import { buyerBody, packagePurchaseBody, packagesQuery, purchaseBody } from '../../http/inputs.ts';
import { waitSMax } from '../../http/request.ts';
import {
  type Answer,
  defineOperations,
  type Headers,
  idempotencyKeyParameter,
  type Links,
  type Parameter,
} from '../operation.ts';

/* Examples of answers. A test validates them with the schemas. */

const offer = { flight: 'Flight-1', stay: '2030-01-01', price: 100 };

const inventory = { quota: 50, remaining: 12, held: 3, confirmed: 35, waiting: 0 };
export const packageExample: PackageView = { id: 1, ...offer, ...inventory };

const queued = { at: '2029-06-01T09:00:00.012Z', event: 'queued' } as const;
const claimed = { at: '2029-06-01T09:00:00.012Z', event: 'claimed' } as const;

const order = {
  id: '7Q4M-9XKD-2VBN-H5TR',
  packageId: 1,
  package: offer,
  email: 'ana@example.com',
  createdAt: '2029-06-01T09:00:00.012Z',
} as const;

export const waitingExample: OrderView = {
  ...order,
  status: 'queued',
  queuePosition: 4,
  estimatedWait: { minSeconds: 20, maxSeconds: 60 },
  timeline: [queued],
};

const confirmedExample: OrderView = {
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

const cancelRequested = { at: '2029-06-01T10:00:00.000Z', event: 'cancel requested' } as const;

const cancellingExample: OrderView = {
  ...confirmedExample,
  status: 'cancelling',
  timeline: [...confirmedExample.timeline, cancelRequested],
};

const cancelledExample: OrderView = {
  ...confirmedExample,
  status: 'cancelled',
  timeline: [
    ...cancellingExample.timeline,
    { at: '2029-06-01T10:00:00.009Z', event: 'hotel cancelled', detail: 'H-2VBNH5TR' },
    { at: '2029-06-01T10:00:00.009Z', event: 'flight cancelled', detail: 'F-7Q4M9XKD' },
    { at: '2029-06-01T10:00:00.013Z', event: 'cancelled' },
  ],
};

/** The operations of `src/http/api/packages.ts`. */
export const packageOperations = defineOperations('Packages', {
  'get /api/packages': {
    operationId: 'listPackages',
    isLimited: true,
    summary: 'The listed packages',
    description: 'Unlisted and archived packages are only found by their id.',
    query: packagesQuery,
    answers: {
      200: [
        'A page of the packages, by id, each at most 250 ms old.',
        packagesAnswer,
        {
          example: { packages: [packageExample] },
          links: {
            getPackage: { parameters: { 'path.id': '$response.body#/packages/0/id' } },
            createOrder: { requestBody: { packageId: '$response.body#/packages/0/id' } },
          },
        },
      ],
    },
  },
  'get /api/packages/{id}': {
    operationId: 'getPackage',
    isLimited: true,
    summary: 'One package',
    answers: {
      200: [
        'The package.',
        packageAnswer,
        {
          example: packageExample,
          links: { createOrder: { requestBody: { packageId: '$response.body#/id' } } },
        },
      ],
    },
  },
});

const prefer: Parameter = {
  in: 'header',
  name: 'Prefer',
  description:
    `RFC 7240. \`respond-async\`: answer as soon as the order is stored. \`wait=N\`: wait for the outcome N seconds ` +
    `at most, instead of ${waitSMax}. Anything else is ignored.`,
  example: 'wait=5',
};

const acceptLanguage: Parameter = {
  in: 'header',
  name: 'Accept-Language',
  description:
    'RFC 9110. The language of the mails about the order, if mails are sent: English, or German if it is preferred.',
  example: 'de',
};

const links: Links = {
  getOrder: {
    parameters: { 'path.id': '$response.body#/id', 'query.email': '$response.body#/email' },
  },
  cancelOrder: {
    parameters: { 'path.id': '$response.body#/id' },
    requestBody: { email: '$response.body#/email' },
  },
};

const headers: Headers = {
  Location: {
    description: 'Where the order is found.',
    schema: z.string().meta({ format: 'uri-reference' }),
    required: true,
  },
  'Preference-Applied': { description: 'Which preferences of `Prefer` were followed.' },
};

const monitored: Headers = {
  Link: {
    description:
      'With the relation `monitor`: where the order can be watched live, as `/asyncapi.json` describes.',
    required: true,
  },
};

const settled = (description: string, example: OrderView): Answer => [
  description,
  orderAnswer,
  { example, headers, links },
];

/** What both addresses of a purchase have in common. */
const purchase = {
  isLimited: true,
  description:
    'Waits for the outcome by default. After a 5xx answer without an order the outcome is unknown: repeat the ' +
    'request with the same Idempotency-Key. A caller without a key that hangs up while its order is queued ' +
    'leaves the queue.',
  parameters: [
    idempotencyKeyParameter('The same key with the same body gets the same order.'),
    prefer,
    acceptLanguage,
  ],
  answers: {
    200: settled(
      'The order of this key, which its buyer has cancelled, or which has left the queue.',
      cancelledExample,
    ),
    201: settled('Booked: the order is confirmed.', confirmedExample),
    202: settled(
      'Accepted: the order will get an outcome. Look it up. A payable order has to be paid at `paymentUrl`.',
      waitingExample,
    ),
  },
  problems: [
    ...(['key_reused', 'unknown_package', 'sold_out', 'queue_full', 'not_open', 'sale_closed'] as const),
    ...(['order_limit', 'supplier_failed', 'payment_declined', 'payment_expired'] as const),
    ...(['overloaded', 'no_owner', 'paused'] as const),
  ],
} as const;

/** The operations of `src/http/api/orders.ts`. */
export const orderOperations = defineOperations('Orders', {
  'post /api/orders': {
    operationId: 'createOrder',
    summary: 'Buy a package',
    body: { schema: purchaseBody, example: { packageId: 1, email: 'ana@example.com' } },
    ...purchase,
  },
  'post /api/packages/{id}/orders': {
    operationId: 'createOrderOfPackage',
    summary: 'Buy this package',
    body: { schema: packagePurchaseBody, example: { email: 'ana@example.com' } },
    ...purchase,
    description: `A second address of \`POST /api/orders\`: load balancers can choose the instance by the package. ${purchase.description}`,
  },
  'get /api/orders/{id}': {
    operationId: 'getOrder',
    isLimited: true,
    summary: 'Look up an order',
    parameters: [
      {
        in: 'query',
        name: 'email',
        schema: emailInput,
        description: 'The email that it was bought with. Every miss gets the same answer.',
        required: true,
        example: 'ana@example.com',
      },
    ],
    answers: { 200: ['The order.', orderAnswer, { example: confirmedExample, headers: monitored, links }] },
    problems: ['invalid'],
  },
  'post /api/orders/{id}/cancel': {
    operationId: 'cancelOrder',
    isLimited: true,
    summary: 'Cancel a booking, or leave the queue',
    description:
      'Waits until it is done by default. Repeating it is harmless. A payable order fails with the reason ' +
      '`payment_abandoned`. What was paid is refunded.',
    parameters: [prefer],
    body: { schema: buyerBody, example: { email: 'ana@example.com' } },
    answers: {
      200: settled('It is cancelled, or has left the queue.', cancelledExample),
      202: settled('It is being cancelled.', cancellingExample),
    },
    problems: ['in_progress', 'not_cancellable', 'trip_over', 'overloaded', 'no_owner'],
  },
});
