import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { type Context, Hono } from 'hono';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../observability/log.ts';
import { createServer } from './server.ts';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function listen(app: Hono): Promise<number> {
  server = createServer(app, silentLog).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Sends raw bytes and returns everything received until the server closes the connection. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes, 'latin1');
  return text(socket);
}

it.each([
  ['no HTTP at all', 'hello\r\n\r\n', 400, 'bad_request'],
  ['an impossible host', 'GET / HTTP/1.1\r\nHost: a b/c\r\nConnection: close\r\n\r\n', 400, 'bad_request'],
  ['no host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'bad_request'],
  [
    'a backslash in the path',
    'GET /\\a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    400,
    'bad_request',
  ],
  [
    'endless headers',
    `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
    431,
    'headers_too_large',
  ],
  ['a header with a NUL', 'GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n', 400, 'bad_request'],
  ['no host in HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', 400, 'bad_request'],
  ['an unknown expectation', 'GET / HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n', 400, 'bad_request'],
])('answers %s with a problem and closes the connection', async (_what, bytes, status, code) => {
  const port = await listen(new Hono().get('/', (c) => c.text('ok')));
  const answer = await raw(port, bytes);
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(answer).toContain(`"code":"${code}"`);
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('ok');
});

it('aborts the signal of a waiting request when its caller hangs up', async () => {
  const seen = Promise.withResolvers<AbortSignal>();
  const app = new Hono().post('/', async (c) => {
    await c.req.arrayBuffer();
    const { signal } = c.req.raw;
    seen.resolve(signal);
    await once(signal, 'abort');
    return c.text('nobody reads this');
  });
  const socket = connect(await listen(app), '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}');
  const signal = await seen.promise;
  expect(signal.aborted).toBe(false);
  socket.destroy();
  while (!signal.aborted) await setImmediate();
});

describe('a request that does not arrive in time', () => {
  const late = Object.assign(new Error('late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
  const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

  async function dial(app: Hono): Promise<{ near: Socket; far: Socket }> {
    const port = await listen(app);
    const connected = once(server as Server, 'connection');
    const near = connect(port, '127.0.0.1');
    const [far] = (await connected) as [Socket];
    return { near, far };
  }

  it('is answered with 408 if a part of it has arrived', async () => {
    const { near, far } = await dial(new Hono());
    near.write(request.slice(0, 20));
    while (far.bytesRead === 0) await setImmediate();
    server?.emit('clientError', late, far);
    expect(await text(near)).toMatch(/^HTTP\/1.1 408 .*"code":"request_timeout"/s);
  });

  it('Q7 is neither served nor answered after its connection has timed out', async () => {
    const served = vi.fn((c: Context) => c.text('ok'));
    const { near, far } = await dial(new Hono().get('/', served));
    // The request is still in the network when the timeout fires, as after a pause of this process.
    near.write(request);
    server?.emit('clientError', late, far);
    const heard = await text(near).catch((error: NodeJS.ErrnoException) => error.code);
    expect(['', 'ECONNRESET']).toContain(heard);
    expect(served).not.toHaveBeenCalled();
  });
});
