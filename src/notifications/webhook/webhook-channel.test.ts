import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sampleOrderAt } from '../../../test/contract/samples.ts';
import {
  type ReceivedWebhook,
  startWebhookReceiver,
  type WebhookReceiver,
} from '../../../test/support/webhook-receiver.ts';
import { Abort } from '../../lib/abort.ts';
import { systemClock } from '../../lib/clock.ts';
import { type Channel, DeliveryError } from '../channel.ts';
import { orderEvent } from './order-event.ts';
import { webhookChannel } from './webhook-channel.ts';

const notice = sampleOrderAt('confirmed', {
  flight: { ticketNumber: 'F-1' },
  hotel: { reservationNumber: 'H-1' },
});

let receiver: WebhookReceiver;
const channels: Channel[] = [];

beforeEach(async () => {
  receiver = await startWebhookReceiver();
});
afterEach(async () => {
  for (const channel of channels.splice(0)) channel.close();
  await receiver.close();
});

function open(over: Partial<Parameters<typeof webhookChannel>[0]> = {}): Channel {
  const channel = webhookChannel({
    ...{ url: `${receiver.origin}/events?token=hush`, secret: receiver.secret },
    ...{ allowsPrivate: true, clock: systemClock },
    ...over,
  });
  channels.push(channel);
  return channel;
}

const deliver = (channel: Channel, signal = new Abort()) => channel.deliver(notice, signal);

async function reason(work: Promise<void>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DeliveryError)) throw new Error(`not a DeliveryError: ${String(error)}`);
  expect(error.isFinal).toBe(false);
  return error.message;
}

describe('an event', () => {
  test('has a signature that an independent verifier accepts, and its documented shape', async () => {
    await deliver(open());
    const [request] = receiver.requests as [ReceivedWebhook];
    const { method, headers, body } = request;
    expect(method).toBe('POST');
    expect(headers['content-type']).toBe('application/json');
    const verified = receiver.verified(request);
    expect(orderEvent.parse(verified)).toEqual(verified);
    expect(verified).toMatchObject({
      type: 'order.confirmed',
      timestamp: '2022-08-08T23:06:40.000Z',
      data: { order: { id: notice.order.id, status: 'confirmed', flight: { ticketNumber: 'F-1' } } },
    });
    const other = new Webhook(`whsec_${Buffer.alloc(32, 8).toString('base64')}`);
    expect(() => other.verify(body, headers as Record<string, string>)).toThrow();
  });

  test('has the same id each time it is sent, and the id tells nothing of the order', async () => {
    const channel = open();
    await deliver(channel);
    await deliver(channel);
    await channel.deliver({ ...notice, event: 'cancelled' }, new Abort());
    const ids = receiver.requests.map(({ headers }) => headers['webhook-id']);
    expect(ids[0]).toMatch(/^msg_[0-9a-f]{32}$/);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  test('is received by a 2xx alone', async () => {
    const channel = open();
    for (const status of [200, 201, 299]) {
      receiver.answer = (response) => response.writeHead(status).end('thanks');
      await deliver(channel);
    }
    for (const status of [400, 401, 404, 410, 429, 500, 503]) {
      receiver.answer = (response) => response.writeHead(status).end('no');
      expect(await reason(deliver(channel))).toBe(`HTTP ${status}`);
    }
  });

  test('follows no redirect', async () => {
    receiver.answer = (response) =>
      response.writeHead(307, { location: `${receiver.origin}/elsewhere` }).end();
    expect(await reason(deliver(open()))).toBe('HTTP 307');
    expect(receiver.requests).toHaveLength(1);
  });
});

describe('Q12 a receiver', () => {
  test('that hangs costs no more than the timeout', async () => {
    receiver.answer = () => {};
    expect(await reason(deliver(open({ timeoutMs: 50 })))).toBe('no answer in time');
  });

  test('that never ends its answer costs no more than the timeout', async () => {
    receiver.answer = (response) => response.writeHead(200).write('one byte');
    expect(await reason(deliver(open({ timeoutMs: 50 })))).toBe('no answer in time');
  });

  test('whose answer is too long is not read to the end', async () => {
    let isClosed = false;
    receiver.answer = (response) => {
      response.on('close', () => {
        isClosed = true;
      });
      response.writeHead(200);
      const write = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        if (!response.destroyed) response.once('drain', write);
      };
      write();
    };
    await deliver(open());
    await expect.poll(() => isClosed).toBe(true);
  });

  test('that hangs up is told by a code, without the URL', async () => {
    receiver.answer = (response) => response.destroy();
    expect(await reason(deliver(open()))).toBe('ECONNRESET');
  });

  test('is left when the delivery is ended', async () => {
    receiver.answer = () => {};
    const ending = new Abort();
    const work = reason(deliver(open(), ending));
    await expect.poll(() => receiver.requests.length).toBe(1);
    ending.abort();
    expect(await work).not.toContain('hush');
  });
});

describe('a private address', () => {
  test.each([
    () => receiver.origin,
    () => receiver.origin.replace('127.0.0.1', 'localhost'),
    () => receiver.origin.replace('127.0.0.1', '[::ffff:127.0.0.1]'),
    () => receiver.origin.replace('127.0.0.1', '0177.0.0.1'),
    () => 'http://169.254.169.254/latest/meta-data',
    () => 'http://[::1]:80/',
  ])('gets no request unless that is allowed: case %#', async (urlOf) => {
    const channel = open({ url: urlOf(), allowsPrivate: false });
    expect(await reason(deliver(channel))).toBe('the address is not public');
    expect(receiver.requests).toEqual([]);
  });
});
