import { once } from 'node:events';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { OrderView } from '../../src/http/api/views.ts';
import { buy, logInAsOperator } from '../support/api-client.ts';
import { schemaValidator } from '../support/openapi-conformance.ts';
import { onSale, startServer, type TestServer } from '../support/server.ts';

/* Every message of a real server's sockets is as `/asyncapi.json` says, which the same server serves. */

const ADMIN_TOKEN = 'a-token-of-some-length-0123456789';
const buyers = Array.from({ length: 12 }, (_, index) => `buyer-${index}@example.com`);

/** The parts of an AsyncAPI document that the test reads. */
interface Description {
  readonly channels: Readonly<Record<string, { readonly messages: Readonly<Record<string, Reference>> }>>;
  readonly components: {
    readonly messages: Readonly<Record<string, { readonly payload: Reference }>>;
    readonly schemas: Readonly<Record<string, object>>;
  };
}

interface Reference {
  readonly $ref: string;
}

interface Heard {
  readonly channel: string;
  readonly text: string;
}

let server: TestServer;
let description: Description;
const sockets: WebSocket[] = [];
const heard: Heard[] = [];

beforeAll(async () => {
  server = await startServer({
    settings: {
      ...{ ADMIN_TOKEN, PAYMENTS: 'simulated', PAYMENT_PAY_RATE: '0.7', PAYMENT_DECLINE_RATE: '0.3' },
      ...{ FLIGHT_FAILURE_RATE: '0.2', SUPPLIER_LATENCY_MS: '300' },
    },
    packages: [onSale({ quota: 3 }), onSale({ id: 2, flight: 'Flight-2', closesAt: Date.now() + 3_600_000 })],
  });
  description = (await (await fetch(`${server.origin}/asyncapi.json`)).json()) as Description;
});
afterAll(async () => {
  for (const socket of sockets) socket.terminate();
  await server?.stop();
});

/** Opens a socket whose messages are those of a described channel. */
async function listen(channel: string, address: string, headers: Record<string, string> = {}): Promise<void> {
  const socket = new WebSocket(server.origin.replace('http:', 'ws:') + address, { headers });
  sockets.push(socket);
  socket.on('message', (data) => heard.push({ channel, text: String(data) }));
  await once(socket, 'open');
}

const lookUp = async (order: OrderView) => {
  const answer = await fetch(`${server.origin}/api/orders/${order.id}?email=${order.email}`);
  return { link: answer.headers.get('link') ?? '', order: (await answer.json()) as OrderView };
};

/** The name of the described message of a channel that a text is. @throws Error unless it is exactly one. */
function messageOf({ channel, text }: Heard): string {
  const value: unknown = text.startsWith('{') ? JSON.parse(text) : text;
  const { channels, components } = description;
  const fitting = Object.entries(channels[channel]?.messages ?? {}).filter(([, { $ref }]) => {
    const { payload } = components.messages[$ref.replace('#/components/messages/', '')] as {
      payload: Reference;
    };
    return schemaValidator(payload, components.schemas).safeParse(value).success;
  });
  if (fitting.length === 1) return `${channel} ${fitting[0]?.[0]}`;
  throw new Error(`${fitting.length} messages of ${channel} fit ${text}`);
}

it('sends only the messages that the description of its channels has', async () => {
  const cookie = await logInAsOperator(server.origin, ADMIN_TOKEN);
  await listen('packages', '/live?topic=packages&format=json');
  await listen('packages', '/live?topic=packages:1.2&format=json&lang=de');
  await listen('packages', '/live?topic=package:2&format=json');
  await listen('pages', '/live?topic=packages');
  await listen('pages', '/live?topic=package:1&lang=de');
  await listen('pages', '/live?topic=admin', { cookie });
  const orders = await Promise.all(
    buyers.map(async (email) => {
      const { order } = await buy(server.origin, 1, { email, prefer: 'respond-async' });
      if (order === undefined) throw new Error('the purchase was refused');
      const { link } = await lookUp(order);
      const address = /^<([^>]+)>; rel="monitor"$/.exec(link)?.[1] ?? '';
      await listen('order', address);
      await listen('pages', address.replace('&format=json', '&lang=de'));
      return order;
    }),
  );
  const states = () =>
    heard
      .filter(({ channel, text }) => channel === 'order' && text.startsWith('{"order":'))
      .map(({ text }) => (JSON.parse(text) as { order: OrderView }).order);
  // Every order is followed to its end, and the last message about it is what the API says.
  await vi.waitFor(
    async () => {
      for (const order of orders) {
        const last = states().findLast(({ id }) => id === order.id);
        expect(last?.status).toMatch(/^(confirmed|failed|rejected)$/);
        expect(last).toEqual((await lookUp(order)).order);
      }
    },
    { timeout: 30_000, interval: 100 },
  );
  const seen = new Set(heard.map(messageOf));
  expect([...seen].toSorted()).toEqual([
    ...['order clock', 'order order', 'packages clock', 'packages package', 'pages clock', 'pages fragments'],
  ]);
  const statuses = new Set(states().map(({ status }) => status));
  expect([...statuses]).toEqual(expect.arrayContaining(['queued', 'held', 'payable', 'confirmed']));
  expect(states().some(({ queuePosition }) => queuePosition !== undefined)).toBe(true);
});
