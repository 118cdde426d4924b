import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Link, startLink } from './link.ts';

let server: Server;
let link: Link;
const clients: Socket[] = [];
/** The text that arrived at the server. */
let arrived: string;

beforeEach(async () => {
  arrived = '';
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      arrived += bytes;
      socket.write(bytes);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  link = await startLink((server.address() as AddressInfo).port);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await link[Symbol.asyncDispose]();
  server.close();
});

async function open() {
  const socket = connect(link.port, '127.0.0.1');
  clients.push(socket);
  const received = { text: '', isClosed: false };
  socket.on('data', (bytes) => {
    received.text += bytes;
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    received.isClosed = true;
  });
  await once(socket, 'connect').catch(() => {});
  return { socket, received };
}

/** Waits for pending events on the loopback, to check that nothing arrives. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 50));

it('a link passes on bytes in both directions, and the end of one side', async () => {
  const { socket, received } = await open();
  socket.end('ping');
  await expect.poll(() => received).toEqual({ text: 'ping', isClosed: true });
});

it('delay: all bytes arrive later and in their sequence, also when the delay ends', async () => {
  const { socket, received } = await open();
  link.apply({ kind: 'delay', ms: 150 });
  const sentAt = performance.now();
  socket.write('a');
  await aWhile();
  expect(arrived).toBe('');
  link.heal();
  socket.write('b');
  await expect.poll(() => received.text).toBe('ab');
  expect(performance.now() - sentAt).toBeGreaterThan(140);
});

it('cut: existing and new connections break until the link is healed', async () => {
  const before = await open();
  link.apply({ kind: 'cut' });
  await expect.poll(() => before.received.isClosed).toBe(true);
  const meanwhile = await open();
  await expect.poll(() => meanwhile.received.isClosed).toBe(true);
  link.heal();
  const after = await open();
  after.socket.write('x');
  await expect.poll(() => after.received.text).toBe('x');
});

it('blackhole: nothing arrives and no side notices, until the link is healed and everything arrives', async () => {
  const before = await open();
  link.apply({ kind: 'blackhole' });
  const meanwhile = await open();
  before.socket.write('old');
  meanwhile.socket.write('new');
  await aWhile();
  expect(arrived).toBe('');
  expect([before.received.isClosed, meanwhile.received.isClosed]).toEqual([false, false]);
  link.heal();
  await expect.poll(() => [before.received.text, meanwhile.received.text]).toEqual(['old', 'new']);
});

it('blackhole: a connection that must not survive breaks when the link is healed', async () => {
  const { socket, received } = await open();
  link.apply({ kind: 'blackhole' });
  socket.write('lost');
  link.heal(() => false);
  await expect.poll(() => received.isClosed).toBe(true);
  expect(received.text).toBe('');
});

it('a fault affects only the chosen connections', async () => {
  const lucky = await open();
  const unlucky = await open();
  await aWhile();
  let nth = 0;
  link.apply({ kind: 'cut' }, () => nth++ === 1);
  await expect.poll(() => unlucky.received.isClosed).toBe(true);
  lucky.socket.write('x');
  await expect.poll(() => lucky.received.text).toBe('x');
});

it('a link closes the connection when nothing listens at the target', async () => {
  server.close();
  await once(server, 'close');
  const { received } = await open();
  await expect.poll(() => received.isClosed).toBe(true);
});
