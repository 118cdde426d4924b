import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type Balancer, startBalancer } from './balancer.ts';

interface Fake {
  readonly name: string;
  readonly server: Server;
  readonly origin: string;
  readonly seen: {
    readonly method: string;
    readonly headers: IncomingMessage['headers'];
    readonly body: string;
  }[];
  isReady: boolean;
}

const fakes: Fake[] = [];
let balancer: Balancer;

afterEach(async () => {
  await balancer.close(0);
  for (const { server } of fakes.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** An instance that answers with its name, or with `act`. */
async function fake(name: string, act?: RequestListener): Promise<Fake> {
  const server = createServer((incoming, response) => {
    if (incoming.url === '/readyz') {
      response.writeHead(self.isReady ? 200 : 503).end();
      return;
    }
    void text(incoming).then((body) => {
      self.seen.push({ method: incoming.method ?? '', headers: incoming.headers, body });
      if (act !== undefined) act(incoming, response);
      else response.setHeader('Set-Cookie', ['a=1', 'b=2']).end(name);
    });
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) =>
    socket.on('message', (bytes) => socket.send(`${name}: ${String(bytes)}`)),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const self: Fake = { name, server, origin, seen: [], isReady: true };
  fakes.push(self);
  return self;
}

async function balance(...origins: string[]): Promise<void> {
  balancer = await startBalancer({ origins, port: 0, host: '127.0.0.1', checkMs: 20 });
}

const ask = async (init: RequestInit = {}) => (await fetch(`${balancer.origin}/order`, init)).text();
const askTimes = (count: number) => Promise.all(Array.from({ length: count }, () => ask()));

it('alternates between instances within one connection, and passes bodies and headers both ways', async () => {
  const [one, two] = [await fake('one'), await fake('two')];
  await balance(one.origin, two.origin);
  expect((await askTimes(4)).toSorted()).toEqual(['one', 'one', 'two', 'two']);
  const answer = await fetch(`${balancer.origin}/order`, {
    method: 'POST',
    body: 'email=a',
    headers: { 'x-forwarded-for': '203.0.113.9', connection: 'x-private', 'x-private': '1' },
  });
  expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  const got = [...one.seen, ...two.seen].find(({ method }) => method === 'POST');
  expect(got?.body).toBe('email=a');
  expect(got?.headers).toMatchObject({
    host: new URL(balancer.origin).host,
    'x-forwarded-for': '203.0.113.9, 127.0.0.1',
  });
});

it('sends the purchases of a package to the same instance while that is ready, and spreads the packages', async () => {
  const [one, two] = [await fake('one'), await fake('two')];
  await balance(one.origin, two.origin);
  const buy = async (id: number) =>
    (await fetch(`${balancer.origin}/api/packages/${id}/orders`, { method: 'POST', body: '{}' })).text();
  const ids = Array.from({ length: 8 }, (_, index) => index + 1);
  const soon = { timeout: 10_000 };
  const first = await Promise.all(ids.map(buy));
  expect(new Set(first)).toEqual(new Set(['one', 'two']));
  await ask();
  expect(await Promise.all(ids.map(buy))).toEqual(first);
  two.isReady = false;
  await expect.poll(async () => new Set(await Promise.all(ids.map(buy))), soon).toEqual(new Set(['one']));
  two.isReady = true;
  await expect.poll(() => Promise.all(ids.map(buy)), soon).toEqual(first);
});

it('leaves out instances that are not ready, and uses them if none is', async () => {
  const [one, two] = [await fake('one'), await fake('two')];
  await balance(one.origin, two.origin);
  one.isReady = false;
  await expect.poll(async () => new Set(await askTimes(4))).toEqual(new Set(['two']));
  two.isReady = false;
  await expect.poll(async () => new Set(await askTimes(4))).toEqual(new Set(['one', 'two']));
});

it('retries a refused connection at the next instance, and answers 503 if all refuse', async () => {
  const [one, two] = [await fake('one'), await fake('two')];
  await balance(one.origin, two.origin);
  one.server.closeAllConnections();
  one.server.close();
  const init = { method: 'POST', body: 'x'.repeat(200_000) };
  expect(await Promise.all([ask(init), ask(init), ask(init)])).toEqual(['two', 'two', 'two']);
  two.server.closeAllConnections();
  two.server.close();
  const answer = await fetch(balancer.origin);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([503, 'application/problem+json']);
  expect(answer.headers.get('retry-after')).toBe('1');
});

it('repeats an interrupted request elsewhere only if its method or key makes that safe', async () => {
  const dying = await fake('dying', (incoming) => incoming.socket.destroy());
  const sound = await fake('sound');
  await balance(dying.origin, sound.origin);
  expect(await Promise.all([ask(), ask()])).toEqual(['sound', 'sound']);
  const keyed = { method: 'POST', body: 'mine', headers: { 'idempotency-key': '1' } };
  expect(await Promise.all([ask(keyed), ask(keyed)])).toEqual(['sound', 'sound']);
  expect(sound.seen.filter(({ method, body }) => method === 'POST' && body === 'mine')).toHaveLength(2);
  const keyless = () => fetch(`${balancer.origin}/order`, { method: 'POST', body: 'mine' });
  const statuses = (await Promise.all([keyless(), keyless()])).map(({ status }) => status);
  expect(statuses.toSorted()).toEqual([200, 502]);
});

it('ends the request to the instance when the caller disconnects', async () => {
  const gone = Promise.withResolvers<void>();
  const slow = await fake('slow', (_incoming, response) => response.on('close', gone.resolve));
  await balance(slow.origin);
  const asked = request(`${balancer.origin}/order`).on('error', () => {});
  asked.end();
  await expect.poll(() => slow.seen.length).toBe(1);
  asked.destroy();
  await gone.promise;
});

it('passes WebSockets through, and skips an instance that refuses connections', async () => {
  const [one, two] = [await fake('one'), await fake('two')];
  await balance(one.origin, two.origin);
  one.server.closeAllConnections();
  one.server.close();
  for (let times = 0; times < 2; times++) {
    const socket = new WebSocket(`${balancer.origin.replace('http', 'ws')}/live`);
    await once(socket, 'open');
    socket.send('hello');
    expect(String((await once(socket, 'message'))[0])).toBe('two: hello');
    socket.close();
    await once(socket, 'close');
  }
});

it('names the port if it is in use', async () => {
  const one = await fake('one');
  await balance(one.origin);
  const port = Number(new URL(balancer.origin).port);
  await expect(startBalancer({ origins: [one.origin], port, host: '127.0.0.1' })).rejects.toThrow(
    String(port),
  );
});
