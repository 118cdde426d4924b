import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Hono } from 'hono';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { silentLog } from '../../observability/log.ts';
import { onError } from '../problem.ts';
import { readForm, readJson } from '../request.ts';
import { createServer, type ServerTimes } from './server.ts';

let server: ReturnType<typeof createServer>;
const open: Socket[] = [];

afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
  server.closeAllConnections();
  server.close();
});

const quick: ServerTimes = {
  headersTimeout: 300,
  requestTimeout: 600,
  keepAliveTimeout: 300,
  timeout: 60_000,
  connectionsCheckingInterval: 50,
};
const megabyte = 'x'.repeat(1024 * 1024);

async function start(times: Partial<ServerTimes> = quick): Promise<number> {
  const app = new Hono()
    .get('/', (c) => c.text('ok'))
    .get('/large', (c) => c.text(megabyte.repeat(16)))
    .post('/json', async (c) => c.json(await readJson(c, z.object({}))))
    .post('/form', async (c) => c.json((await readForm(c, z.object({}))).fields));
  app.onError(onError(silentLog));
  server = createServer(app, silentLog, undefined, times).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function dial(port: number): Socket {
  // A client that keeps sending after the server has announced the close.
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  open.push(socket);
  return socket;
}

/** Sends a small part at a time, until the server closes the connection. */
async function trickle(socket: Socket, part: string, everyMs: number): Promise<void> {
  while (socket.writable && !socket.readableEnded && !socket.destroyed) {
    socket.write(part);
    await sleep(everyMs);
  }
}

function connections(): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}

/** Waits until the server has no connections. */
async function expectNobody(): Promise<void> {
  await expect.poll(connections, { timeout: 5_000, interval: 20 }).toBe(0);
}

describe('disconnects a client that', () => {
  it('sends nothing', async () => {
    const socket = dial(await start());
    const heard = await text(socket);
    expect(heard).toMatch(/^$|^HTTP\/1.1 4\d\d /);
    socket.end();
    await expectNobody();
  });

  it('sends its headers byte by byte', async () => {
    const socket = dial(await start());
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n');
    // A byte that arrives after the server has closed resets the connection, and the answer may be lost.
    const heard = text(socket).catch(() => '');
    await trickle(socket, 'X: a\r\n', 20);
    expect(await heard).toMatch(/^$|^HTTP\/1.1 408 /);
    socket.end();
    await expectNobody();
  });

  it.each([
    ['with a length', 'Content-Length: 10000\r\n', 'a'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n', '1\r\na\r\n'],
  ])('sends its body byte by byte, %s', async (_how, header, part) => {
    const socket = dial(await start());
    socket.write(`POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${header}\r\n`);
    const heard = text(socket).catch(() => '');
    await trickle(socket, part, 20);
    expect(await heard).toMatch(/^$|^HTTP\/1.1 4\d\d /);
    socket.end();
    await expectNobody();
  });

  it('keeps its connection open without another request', async () => {
    const socket = dial(await start());
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1.1 200 [\s\S]*ok$/);
    socket.end();
    await expectNobody();
  });

  it('never reads its answers', async () => {
    const socket = dial(await start({ ...quick, timeout: 400 }));
    socket.pause();
    // The four answers are larger than the socket's buffers.
    for (let asked = 0; asked < 4; asked++) socket.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n');
    await expect.poll(connections, { interval: 20 }).toBe(1);
    await expectNobody();
  });

  it('never closes its connection after a refusal', async () => {
    const socket = dial(await start({ ...quick, timeout: 400 }));
    socket.write('no HTTP at all\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1.1 400 /);
    await expectNobody();
  });
});

it('answers other clients while 200 clients do not finish their headers', async () => {
  const port = await start();
  const slow = Array.from({ length: 200 }, () => dial(port));
  for (const socket of slow) socket.write('POST /json HTTP/1.1\r\nHost: x\r\nX: ');
  for (let asked = 0; asked < 20; asked++) {
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('ok');
  }
});

it('serves a client that sends its body slowly but makes progress', async () => {
  const socket = dial(await start({ ...quick, requestTimeout: 5_000 }));
  socket.write(
    'POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 22\r\n\r\n',
  );
  for (const part of ['{', ' '.repeat(20)]) {
    socket.write(part);
    await sleep(400);
  }
  socket.write('}');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(String(answer)).toMatch(/^HTTP\/1.1 200 /);
});

it.each(['json', 'form'])(
  'refuses a %s whose body is too large, with and without Content-Length',
  async (kind) => {
    const port = await start({ ...quick, requestTimeout: 5_000 });
    const type = kind === 'json' ? 'application/json' : 'application/x-www-form-urlencoded';
    const declared = dial(port);
    declared.write(
      `POST /${kind} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: 99999999\r\n\r\n`,
    );
    const [refused] = (await once(declared, 'data')) as [Buffer];
    expect(String(refused)).toMatch(/^HTTP\/1.1 413 /);
    const chunked = dial(port);
    chunked.write(
      `POST /${kind} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const heard = once(chunked, 'data') as Promise<[Buffer]>;
    for (let sent = 0; sent < 20 && chunked.writable; sent++) {
      chunked.write(`400\r\n${'x'.repeat(1024)}\r\n`);
      await sleep(1);
    }
    expect(String((await heard)[0])).toMatch(/^HTTP\/1.1 413 /);
  },
);
