import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it, vi } from 'vitest';
import { limitPipelining } from './server.ts';

let server: Server;

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** A server whose answers wait until they are released, and the requests that it got. */
async function start(): Promise<{ port: number; held: ServerResponse[] }> {
  const held: ServerResponse[] = [];
  server = createServer(limitPipelining((_incoming, outgoing) => held.push(outgoing)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, held };
}

const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

/** Answers requests one after the other, up to the given number. */
async function answer(held: ServerResponse[], count: number): Promise<void> {
  for (let answered = 0; answered < count; answered++) {
    await vi.waitFor(() => expect(held).toHaveLength(answered + 1));
    held[answered]?.end(`[${held[answered]?.req.url}]`);
  }
}

it('serves a few pipelined requests one after the other', async () => {
  const { port, held } = await start();
  const socket = connect(port, '127.0.0.1');
  const count = 16;
  const all = Array.from({ length: count }, (_, index) => request(`/${index}`)).join('');
  socket.write(all.replace(/\r\n$/, 'Connection: close\r\n\r\n'));
  await answer(held, count);
  const words = [...(await text(socket)).matchAll(/\[\/(\d+)\]/g)].map(([, word]) => Number(word));
  expect(words).toEqual(Array.from({ length: count }, (_, index) => index));
});

it('closes the connection after the last allowed request, and does not serve the others', async () => {
  const { port, held } = await start();
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(request('/').repeat(30));
  const heard = text(socket);
  await answer(held, 17);
  const answers = (await heard).split(/(?=HTTP\/1.1 200 OK)/);
  expect(answers.map((each) => each.includes('Connection: close'))).toEqual([...Array(16).fill(false), true]);
  expect(held).toHaveLength(17);
});

it('disconnects a client that pipelines thousands, and serves only the first request', async () => {
  const { port, held } = await start();
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(request('/').repeat(2_000));
  await once(socket, 'close');
  expect(held).toHaveLength(1);
});

it('counts waiting requests, not answered ones', async () => {
  const { port, held } = await start();
  const socket = connect(port, '127.0.0.1');
  socket.resume();
  for (let round = 1; round <= 5; round++) {
    socket.write(request('/').repeat(16));
    await answer(held, 16);
    held.splice(0);
  }
  socket.destroy();
});

it('reads the body of a request that has waited', async () => {
  const bodies: string[] = [];
  server = createServer(
    limitPipelining(async (incoming, outgoing) => {
      bodies.push(await text(incoming));
      outgoing.end('ok');
    }),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const post = (body: string) =>
    `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const large = 'x'.repeat(200_000);
  socket.resume();
  socket.write(post('one') + post(large) + post('three'));
  await vi.waitFor(() => expect(bodies).toEqual(['one', large, 'three']));
  socket.destroy();
});
