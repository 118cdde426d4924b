import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it, vi } from 'vitest';
import { limitConnections } from './connections.ts';

let server: Server;
const open: Socket[] = [];

afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
  server.closeAllConnections();
  server.close();
});

async function start(max: number, maxPerClient: number): Promise<number> {
  server = createServer((_incoming, outgoing) => outgoing.end('ok'));
  const ofConnection = ({ remoteAddress }: { remoteAddress?: string | undefined }) => remoteAddress;
  limitConnections(server, { max, maxPerClient, clients: { ofConnection } });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function dial(port: number, from = '127.0.0.1'): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  socket.on('error', () => {});
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  open.push(socket);
  return socket;
}

/** Requests of accepted connections, until they are answered. */
async function admit(port: number, count: number, from?: string): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => dial(port, from));
  for (const socket of sockets) expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1.1 200 /);
  return sockets;
}

it('answers 503 to connections above the limit, and accepts one again when another closes', async () => {
  const port = await start(3, 0);
  const [first] = await admit(port, 3);
  const refused = await text(dial(port));
  expect(refused).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n[\s\S]*\r\nRetry-After: 10\r\n/);
  expect(refused).toContain('"code":"overloaded"');
  first?.destroy();
  await vi.waitFor(() => admit(port, 1));
});

it('answers 429 to a client above its limit, and does not serve its request', async () => {
  const port = await start(100, 2);
  const served = vi.fn();
  await admit(port, 2);
  server.on('request', served);
  const refused = await text(dial(port));
  expect(refused).toMatch(/^HTTP\/1.1 429 Too Many Requests\r\n[\s\S]*"code":"rate_limited"/);
  expect(served).not.toHaveBeenCalled();
  await admit(port, 1, '127.0.0.2');
});

it('closes refused connections that stay open, and further ones without an answer above a limit', async () => {
  const port = await start(1, 0);
  await admit(port, 1);
  const silent = Array.from({ length: 300 }, () => connect({ port, host: '127.0.0.1', allowHalfOpen: true }));
  const heard = await Promise.all(
    silent.map((socket) => {
      socket.on('error', () => {});
      return text(socket).catch(() => '');
    }),
  );
  const told = heard.filter((word) => word.includes('503')).length;
  expect(told).toBeGreaterThanOrEqual(200);
  expect(told).toBeLessThan(300);
  // No client has closed its connection; the server closes them itself.
  const connections = () =>
    new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)));
  await expect.poll(connections, { timeout: 5_000 }).toBe(1);
  for (const socket of silent) socket.destroy();
});
