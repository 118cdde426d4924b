import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import {
  type AddressInfo,
  connect,
  createServer as createNetServer,
  type ListenOptions,
  Server as NetServer,
} from 'node:net';
import { networkInterfaces } from 'node:os';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, it, vi } from 'vitest';
import { freePort } from '../../../test/support/free-port.ts';
import { listenAt, listenInsteadOf } from './listen.ts';

const servers: Server[] = [];
const realListen = NetServer.prototype.listen;
const hasIPv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);
/** Systems on which Node supports SO_REUSEPORT. */
const hasReusePort = /^(linux|freebsd|sunos|aix)$/.test(process.platform);

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

function saying(word: string): Server {
  const server = createServer((_request, response) => response.end(word));
  servers.push(server);
  return server;
}

const host = '127.0.0.1';

async function ask(port: number): Promise<string> {
  return (await fetch(`http://${host}:${port}/`, { headers: { connection: 'close' } })).text();
}

/** Clients in a thread of their own, because the test's thread is busy. They count their connections. */
const crowd = `
  const { connect } = require('node:net');
  const { workerData: { port, count, connected }, parentPort } = require('node:worker_threads');
  let answered = 0;
  for (let one = 0; one < count; one++) {
    const socket = connect(port, '127.0.0.1', () => {
      Atomics.add(connected, 0, 1);
      Atomics.notify(connected, 0);
    });
    socket.write('GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n');
    socket.once('data', () => { if (++answered === count) parentPort.postMessage('all'); });
    socket.on('error', () => {});
  }`;

it.runIf(hasReusePort)('accepts several connections per turn of a busy event loop', async () => {
  const server = saying('ok');
  const port = await listenAt(server, { port: 0, host });
  const count = 200;
  let turns = 0;
  let isOver = false;
  const keepBusy = () => {
    turns += 1;
    const until = performance.now() + 5;
    while (performance.now() < until);
    if (!isOver) setImmediate(keepBusy);
  };
  let connections = 0;
  let turnsToAccept = 0;
  server.on('connection', () => {
    if (++connections === count) turnsToAccept = turns;
  });
  const connected = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(crowd, { eval: true, workerData: { port, count, connected } });
  const allAnswered = once(worker, 'message');
  // Every client waits to be accepted before the first turn, so that turns measure no slow client.
  for (let seen = 0; seen < count; seen = Atomics.load(connected, 0)) {
    if (Atomics.wait(connected, 0, seen, 10_000) === 'timed-out') break;
  }
  keepBusy();
  await allAnswered;
  isOver = true;
  await worker.terminate();
  expect(connections).toBe(count);
  expect(turnsToAccept).toBeLessThan(count / 2);
});

it.each([undefined, host])(
  'rejects a port in use, also when the other server has several sockets (host %s)',
  async (at) => {
    const port = await freePort();
    await listenAt(saying('first'), { port, host: at });
    await expect(listenAt(saying('second'), { port, host: at })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    expect(await ask(port)).toBe('first');
    const other = createNetServer().listen(0, host);
    await once(other, 'listening');
    const taken = (other.address() as AddressInfo).port;
    await expect(listenAt(saying('third'), { port: taken, host })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    other.close();
  },
);

it('rejects an IP address of another machine', async () => {
  await expect(listenAt(saying('x'), { port: 0, host: '203.0.113.1' })).rejects.toMatchObject({
    code: 'EADDRNOTAVAIL',
  });
});

it('listens at all IP addresses by default', async () => {
  const port = await listenAt(saying('ok'), { port: 0 });
  for (let asked = 0; asked < 40; asked++) expect(await ask(port)).toBe('ok');
});

it('closes all sockets, and reports the close when the last answer is sent', async () => {
  const held: ServerResponse[] = [];
  const server = createServer((_request, response) => held.push(response));
  servers.push(server);
  const port = await listenAt(server, { port: 0, host });
  const asking = Promise.all(Array.from({ length: 20 }, () => ask(port)));
  await vi.waitFor(() => expect(held).toHaveLength(20));
  let isClosed = false;
  const done = new Promise<void>((resolve) => {
    server.close(() => {
      isClosed = true;
      resolve();
    });
  });
  const refused = connect(port, host);
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
  for (const response of held) {
    expect(isClosed).toBe(false);
    response.end('late');
  }
  expect(new Set(await asking)).toEqual(new Set(['late']));
  await done;
  servers.length = 0;
});

it('hands its sockets over to another server without refusing a connection', async () => {
  const room = saying('wait');
  const port = await listenAt(room, { port: 0, host });
  const server = saying('open');
  const asking = Promise.all(Array.from({ length: 100 }, () => ask(port)));
  expect(await listenInsteadOf(server, room)).toBe(port);
  for (const word of await asking) expect(['wait', 'open']).toContain(word);
  for (let asked = 0; asked < 60; asked++) expect(await ask(port)).toBe('open');
  servers.splice(servers.indexOf(room), 1);
});

it('gives a port to only one of two servers that try it at the same moment', async () => {
  const port = await freePort();
  let second: Promise<number> | undefined;
  const listen = vi.spyOn(NetServer.prototype, 'listen').mockImplementation(function (
    this: NetServer,
    ...parameters: unknown[]
  ) {
    const [options] = parameters as [ListenOptions];
    if (!options.reusePort || second !== undefined)
      return realListen.apply(this, parameters as [ListenOptions]);
    // The first server has checked the port and waits. Without the port lock the second server would find the port
    // free, too.
    second = listenAt(saying('second'), { port, host });
    second.catch(() => {});
    setTimeout(() => realListen.apply(this, [options]), 300);
    return this;
  });
  try {
    expect(await listenAt(saying('first'), { port, host })).toBe(port);
    await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' });
  } finally {
    listen.mockRestore();
  }
  for (let asked = 0; asked < 20; asked++) expect(await ask(port)).toBe('first');
});

it.each(['ENOTSUP', 'EINVAL'])(
  'listens with one socket on systems without SO_REUSEPORT (%s)',
  async (code) => {
    const listen = vi.spyOn(NetServer.prototype, 'listen').mockImplementation(function (
      this: NetServer,
      ...parameters: unknown[]
    ) {
      const [options] = parameters as [ListenOptions];
      if (options.reusePort) {
        process.nextTick(() => this.emit('error', Object.assign(new Error(code), { code })));
        return this;
      }
      return realListen.apply(this, [options]);
    });
    try {
      const port = await freePort();
      expect(await listenAt(saying('one'), { port, host })).toBe(port);
      expect(await ask(port)).toBe('one');
      await expect(listenAt(saying('two'), { port, host })).rejects.toMatchObject({ code: 'EADDRINUSE' });
      expect(await ask(await listenAt(saying('any'), { port: 0, host }))).toBe('any');
    } finally {
      listen.mockRestore();
    }
  },
);

it.skipIf(!hasIPv6)('listens at an IPv6 address', async () => {
  const port = await listenAt(saying('six'), { port: 0, host: '::1' });
  for (let asked = 0; asked < 20; asked++) {
    expect(await (await fetch(`http://[::1]:${port}/`, { headers: { connection: 'close' } })).text()).toBe(
      'six',
    );
  }
});
