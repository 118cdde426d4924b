import { EventEmitter, once } from 'node:events';
import { request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Hono } from 'hono';
import { afterEach, expect, it, vi } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { fakeEngine, fakeOrder, fakeSnapshot, livePackages } from '../../test/support/fake-engine.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import type { Order } from '../domain/order.ts';
import { packageIdMax } from '../domain/travel-package.ts';
import { orderView, packageView } from '../http/api/views.ts';
import { orderSignature } from '../http/order-access.ts';
import { createServer } from '../http/server/server.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { silentLog } from '../observability/log.ts';
import type { LiveRender } from './hub.ts';
import { localLiveBus } from './live-bus.ts';
import { clockMessage } from './messages.ts';
import { createLive, type Live, type LiveOptions } from './routes.ts';

const secret = 'a secret of this test';
const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function start(options: Partial<LiveOptions> = {}, clock: Clock = systemClock, ids = [1]) {
  const bus = localLiveBus();
  const settings = { instanceId: 'i1', secret, currency: 'USD', publicOrigin: 'https://tickets.example' };
  const engine = fakeEngine(livePackages(bus, clock, async () => ids.map((id) => fakeSnapshot({ id }))));
  const deps = { engine, liveBus: bus, clock, log: silentLog, settings };
  const live: Live = createLive(deps, options);
  const app = new Hono().get('/', (c) => c.text('home')).route('/', live.routes);
  const server = createServer(app, silentLog).listen(0, '127.0.0.1');
  live.attach(server);
  await once(server, 'listening');
  stops.push(async () => {
    server.close();
    server.closeAllConnections();
    const stopped = live.stop();
    if (clock instanceof ManualClock) await clock.advance(10_000);
    await stopped;
  });
  const { port } = server.address() as AddressInfo;
  const open = (query: string, client: ClientOptions = {}) =>
    new WebSocket(`ws://127.0.0.1:${port}/live?${query}`, client);
  return { live, bus, port, open };
}

/** The messages that a socket receives. */
function received(socket: WebSocket): string[] {
  const messages: string[] = [];
  socket.on('message', (data) => messages.push(String(data)));
  return messages;
}

/** The HTTP status of a refused upgrade. */
async function refusal(socket: WebSocket): Promise<number | undefined> {
  socket.on('error', () => {});
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode?: number }];
  socket.terminate();
  return response.statusCode;
}

it('sends the time, the current state and every change, rendered like the pages', async () => {
  const { bus, open } = await start();
  const messages = received(open('topic=packages'));
  await vi.waitFor(() => expect(messages).toHaveLength(2));
  expect(JSON.parse(messages[0] ?? '')).toEqual({ now: expect.any(Number) });
  expect(messages[1]).toMatch(/^<hx-partial hx-target="#stay-1" hx-swap="outerMorph"><span id="stay-1"/);
  bus.publishPackage({
    ...fakeSnapshot(),
    inventory: { ...fakeSnapshot().inventory, remaining: 0, confirmed: 1 },
  });
  await vi.waitFor(() => expect(messages).toHaveLength(3));
  expect(messages[2]).toContain('1 sold');
});

it('shows the package with the greatest id', async () => {
  const { open } = await start({}, systemClock, [packageIdMax]);
  const messages = received(open(`topic=package:${packageIdMax}`));
  await vi.waitFor(() => expect(messages[1]).toContain(`id="stay-${packageIdMax}"`));
  expect(await refusal(open(`topic=package:${packageIdMax}0`))).toBe(404);
});

it('Q10 shows an order only with its proof; a wrong proof and an unknown order get the same answer', async () => {
  const { bus, open } = await start();
  const order = fakeOrder();
  const proof = orderSignature(secret, order.id);
  const messages = received(open(`topic=order:${order.id}&proof=${proof}`));
  await vi.waitFor(() => expect(messages).toHaveLength(2));
  expect(messages[1]).toContain(
    '<hx-partial hx-target="#order-live" hx-swap="outerMorph"><div id="order-live"',
  );
  bus.publishOrder({
    ...order,
    status: 'confirmed',
    timeline: [...order.timeline, { at: 1, event: 'confirmed' }],
  });
  await vi.waitFor(() => expect(messages[2]).toContain('data-status="confirmed"'));
  const other = '0000-0000-0000-0000';
  for (const query of [
    `topic=order:${order.id}`,
    `topic=order:${order.id}&proof=${proof}x`,
    `topic=order:${other}&proof=${proof}`,
    'topic=order:&proof=',
    'topic=order:nonsense',
  ]) {
    expect(await refusal(open(query))).toBe(404);
  }
});

it('sends fragments in the language that the page names, and in English to a page that names none of ours', async () => {
  const { bus, open } = await start();
  const headers = { 'accept-language': 'de' };
  const [german, english, other] = [
    received(open('topic=packages&lang=de')),
    received(open('topic=packages', { headers })),
    received(open('topic=packages&lang=fr', { headers })),
  ];
  await vi.waitFor(() => expect(german[1]).toContain('Noch 1 Platz'));
  for (const messages of [english, other]) {
    await vi.waitFor(() => expect(messages[1]).toContain('1 place left'));
  }
  bus.publishPackage({
    ...fakeSnapshot(),
    inventory: { ...fakeSnapshot().inventory, remaining: 0, confirmed: 1 },
  });
  await vi.waitFor(() => expect(german.at(-1)).toContain('Ausverkauft'));
  await vi.waitFor(() => expect(english.at(-1)).toContain('Sold out'));
});

it('sends programs the packages of a topic as JSON, each in a message of its own', async () => {
  const { bus, open } = await start({}, systemClock, [1, 2]);
  const messages = received(open('topic=packages:1.2&format=json&lang=de'));
  await vi.waitFor(() => expect(messages).toHaveLength(3));
  const [time, ...packages] = messages.map((message) => JSON.parse(message));
  expect(clockMessage.parse(time)).toEqual(time);
  for (const id of [1, 2]) expect(packages).toContainEqual({ package: packageView(fakeSnapshot({ id })) });
  const sold = { ...fakeSnapshot().inventory, remaining: 0, confirmed: 1 };
  bus.publishPackage({ ...fakeSnapshot(), inventory: sold });
  await vi.waitFor(() => expect(messages).toHaveLength(4));
  expect(JSON.parse(messages[3] ?? '')).toMatchObject({ package: { id: 1, remaining: 0, confirmed: 1 } });
});

it('Q10 sends programs an order as JSON, with its position in the queue, only with its proof', async () => {
  const { bus, open } = await start();
  const order = fakeOrder();
  const query = `topic=order:${order.id}&proof=${orderSignature(secret, order.id)}&format=json`;
  const messages = received(open(query));
  await vi.waitFor(() => expect(messages).toHaveLength(2));
  const queue = { queuePosition: 3, estimatedWait: undefined };
  expect(JSON.parse(messages[1] ?? '')).toEqual({ order: orderView(order, queue) });
  const held: Order = {
    ...order,
    status: 'held',
    timeline: [...order.timeline, { at: 1, event: 'claimed' }],
  };
  bus.publishOrder(held);
  await vi.waitFor(() => expect(JSON.parse(messages.at(-1) ?? '')).toEqual({ order: orderView(held) }));
  expect(await refusal(open(`topic=order:${order.id}&proof=x&format=json`))).toBe(404);
});

it.each(['format=xml', 'format=', 'format=JSON'])(
  'answers 404 to a format that does not exist: %s',
  async (query) => {
    const { open } = await start();
    expect(await refusal(open(`topic=packages&${query}`))).toBe(404);
  },
);

it('refuses pages of other sites', async () => {
  const { open, port } = await start();
  const from = (origin: string) => open('topic=packages', { headers: { origin } });
  for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:1', 'x']) {
    expect(await refusal(from(origin))).toBe(403);
  }
  for (const origin of [`http://127.0.0.1:${port}`, 'https://tickets.example']) {
    await once(from(origin), 'open');
  }
});

it('sends a page only the packages that it names', async () => {
  const { bus, open } = await start();
  bus.publishPackage(fakeSnapshot({ id: 2 }));
  const ids = Array.from({ length: 99 }, (_, index) => packageIdMax - index);
  const messages = received(open(`topic=packages:2.${ids.join('.')}`));
  await vi.waitFor(() => expect(messages.join()).toContain('id="stay-2"'));
  expect(messages.join()).not.toContain('id="stay-1"');
});

const tooMany = Array.from({ length: 101 }, (_, index) => index + 1).join('.');

it.each([
  ...['', 'topic=', 'topic=orders', 'topic=package:0', 'topic=package:1e3', 'topic=%', 'topic=%00'],
  ...['topic=packages:', 'topic=packages:0', 'topic=packages:1.', 'topic=packages:1,2', 'topic=admin:x'],
  `topic=packages:${tooMany}`,
])('answers 404 to a topic that does not exist: %s', async (query) => {
  const { open } = await start();
  expect(await refusal(open(query))).toBe(404);
});

it('answers 426 to a request without an upgrade, and 405 to other methods', async () => {
  const { port } = await start();
  const plain = await fetch(`http://127.0.0.1:${port}/live?topic=packages`);
  expect([plain.status, plain.headers.get('upgrade')]).toEqual([426, 'websocket']);
  expect(await plain.json()).toMatchObject({ code: 'upgrade_required' });
  expect((await fetch(`http://127.0.0.1:${port}/live`, { method: 'POST' })).status).toBe(405);
});

it('ignores an upgrade to another protocol and answers the request', async () => {
  const { port } = await start();
  const headers = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABk' };
  const asked = request({ port, host: '127.0.0.1', path: '/', headers }).end();
  const [response] = (await once(asked, 'response')) as [NodeJS.ReadableStream & { statusCode: number }];
  expect([response.statusCode, await text(response)]).toEqual([200, 'home']);
});

it.each(['/nothing', '/live?topic=packages'])(
  'survives a connection that breaks while it answers an upgrade at %s',
  async (url) => {
    const { live } = await start();
    const server = new EventEmitter();
    live.attach(server as Server);
    const socket = new Duplex({
      read() {},
      write: (_chunk, _encoding, done) => done(new Error('ECONNRESET')),
    });
    const headers = {
      host: 'localhost',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': `${'A'.repeat(22)}==`,
    };
    const closed = new Promise((resolve) => socket.once('close', resolve));
    server.emit('upgrade', { method: 'GET', url, headers }, socket, Buffer.alloc(0));
    await closed;
    expect(socket.destroyed).toBe(true);
  },
);

it('answers 503 to a new viewer while the maximum of viewers is reached', async () => {
  const { open, live } = await start({ viewersMax: 2 });
  const first = open('topic=packages');
  const second = open('topic=packages');
  await Promise.all([once(first, 'open'), once(second, 'open')]);
  expect(await refusal(open('topic=packages'))).toBe(503);
  first.close();
  await vi.waitFor(() => expect(live.viewers).toBe(1));
  await once(open('topic=packages'), 'open');
});

it('ignores messages of a viewer, and closes the connection when there are too many messages', async () => {
  const { open, live } = await start();
  const socket = open('topic=packages');
  const messages = received(socket);
  await once(socket, 'open');
  for (const said of ['hello', '{"topic":"order:1"}', '\0', '<hx-partial>']) socket.send(said);
  socket.ping();
  await once(socket, 'pong');
  await vi.waitFor(() => expect(messages).toHaveLength(2));
  for (let sent = 0; sent < 100; sent++) socket.send('hello');
  const [code] = (await once(socket, 'close')) as [number];
  expect(code).toBe(1008);
  await vi.waitFor(() => expect(live.viewers).toBe(0));
});

it('skips versions for a viewer that does not read, and sends this viewer the newest state in the end', {
  timeout: 120_000,
}, async () => {
  const page = 'x'.repeat(512 * 1024);
  const render: LiveRender = {
    package: ({ inventory }) => ({ rootId: 'stay-1', text: `${page}<b>${inventory.held}</b>` }),
    order: () => ({ rootId: 'order-live', text: '' }),
  };
  const { bus, open } = await start({ render, tickMs: 1 });
  const [quick, slow] = [open('topic=packages'), open('topic=packages')];
  await Promise.all([once(quick, 'open'), once(slow, 'open')]);
  const [quickHeard, slowHeard] = [received(quick), received(slow)];
  // On a busy machine a heartbeat may come after the newest state. A failed `toContain` would print half a megabyte.
  const hasNewest = (heard: string[], held: number) =>
    heard.findLast((message) => !message.startsWith('{'))?.includes(`<b>${held}</b>`);
  slow.pause();
  for (let held = 1; held <= 100; held++) {
    bus.publishPackage({ ...fakeSnapshot(), inventory: { ...fakeSnapshot().inventory, held } });
    await vi.waitFor(() => expect(hasNewest(quickHeard, held)).toBe(true), {
      interval: 1,
      timeout: 20_000,
    });
  }
  slow.resume();
  await vi.waitFor(() => expect(hasNewest(slowHeard, 100)).toBe(true), { timeout: 20_000 });
  expect(slowHeard.length).toBeLessThan(50);
});

it('terminates a connection that does not answer pings', async () => {
  const clock = new ManualClock();
  const { port, live, open } = await start({}, clock);
  const answering = open('topic=packages');
  const silent = connect(port, '127.0.0.1');
  silent.write(
    `GET /live?topic=packages HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\n\r\n`,
  );
  silent.resume();
  const cut = once(silent, 'close');
  await once(answering, 'open');
  await vi.waitFor(() => expect(live.viewers).toBe(2));
  for (let asked = 0; asked < 2; asked++) {
    const pinged = once(answering, 'ping');
    await clock.advance(31_000);
    await pinged;
    // When the server answers this ping, it has received the first pong.
    const answered = once(answering, 'pong');
    answering.ping();
    await answered;
  }
  await cut;
  expect([live.viewers, answering.readyState]).toEqual([1, WebSocket.OPEN]);
});

it('closes all connections with 1012 and refuses new connections when the server stops', async () => {
  const { open, live } = await start({ shutdownSpreadMs: 100 });
  const sockets = Array.from({ length: 30 }, () => open('topic=packages'));
  await Promise.all(sockets.map((socket) => once(socket, 'open')));
  const codes = sockets.map(async (socket) => (await once(socket, 'close'))[0] as number);
  const stopped = live.stop();
  expect(await refusal(open('topic=packages'))).toBe(503);
  expect(new Set(await Promise.all(codes))).toEqual(new Set([1012]));
  await stopped;
  expect(live.viewers).toBe(0);
});
