import { expect, test } from 'vitest';
import { sampleOrderAt } from '../../test/contract/samples.ts';
import { noticeEvents } from '../domain/notices.ts';
import { orderEvent, orderEventView } from '../notifications/webhook/order-event.ts';
import { openApiDocument } from './document.ts';
import { allOperations } from './routes.ts';
import { webhooks } from './webhooks.ts';

interface Described {
  readonly post: {
    readonly operationId: string;
    readonly requestBody: unknown;
    readonly parameters: unknown;
  };
}

test('each event is described, with its headers and the schema of its body', () => {
  const described = webhooks() as Record<string, Described>;
  expect(Object.keys(described)).toEqual(noticeEvents.map((event) => `order.${event}`));
  const ids = allOperations.map(({ operationId }) => operationId);
  for (const [name, { post }] of Object.entries(described)) {
    expect(ids).not.toContain(post.operationId);
    expect(JSON.stringify(post.parameters)).toContain('webhook-signature');
    expect(post.requestBody).toMatchObject({
      content: {
        'application/json': {
          schema: {
            allOf: [{ $ref: '#/components/schemas/OrderEvent' }, { properties: { type: { const: name } } }],
          },
        },
      },
    });
  }
  expect(openApiDocument(allOperations).webhooks).toEqual(described);
});

test.each(noticeEvents)('the body of order.%s has the described shape', (event) => {
  const body = orderEventView(sampleOrderAt(event));
  expect(orderEvent.parse(body)).toEqual(body);
});

test('the event of a payable order says until when it must be paid, and where', () => {
  expect(orderEventView(sampleOrderAt('payable')).data.order).toMatchObject({
    ...{ status: 'payable', amount: 12_050, currency: 'EUR' },
    ...{ payBy: '2022-08-08T23:11:40.000Z', paymentUrl: 'https://pay.example/1' },
  });
  expect(orderEventView(sampleOrderAt('refunded')).data.order).not.toHaveProperty('paymentUrl');
});
