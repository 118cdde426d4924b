import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
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

/** Opens connections and waits until the request of each is answered. */
async function admit(port: number, count: number, from?: string): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => dial(port, from));
  for (const socket of sockets) expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1.1 200 /);
  return sockets;
}

it('answers 503 to connections above the limit, and accepts a new connection when another closes', async () => {
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

it('closes refused connections that stay open, and closes connections above the limit of refusals without an answer', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const port = await start(1, 0);
  await admit(port, 1);
  const answers = await Promise.all(Array.from({ length: 300 }, () => answerTo(port)));
  expect(answers.filter((answer) => answer.includes('503')).length).toBe(256);
  // No client has closed its connection; the server closes them itself.
  vi.advanceTimersByTime(1_000);
  const connections = () =>
    new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)));
  await expect.poll(connections, { timeout: 5_000 }).toBe(1);
});

/** Connects and returns everything that the server sends. The client's side stays open. */
function answerTo(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  open.push(socket);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.on('error', () => {});
  return new Promise((resolve) => {
    for (const event of ['end', 'close']) socket.once(event, () => resolve(answer));
  });
}
