import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { resetSocket } from '../support/reset-socket.ts';
import { startServer, type TestServer } from '../support/server.ts';

/* Invalid bytes on a socket close the socket or are ignored. The server goes on, and no quota changes. */

let server: TestServer;
let port: number;
let inventoryBefore: unknown;

beforeAll(async () => {
  server = await startServer();
  port = Number(new URL(server.origin).port);
  inventoryBefore = await readInventory();
});
afterAll(() => server?.stop());

afterEach(async () => {
  expect(await readInventory()).toEqual(inventoryBefore);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/live?topic=packages`);
  const messages: string[] = [];
  socket.on('message', (data) => messages.push(String(data)));
  await vi.waitFor(() => expect(messages[1]).toContain('stay-1'));
  socket.terminate();
});

async function readInventory(): Promise<unknown> {
  const response = await fetch(`${server.origin}/api/packages`);
  expect(response.status).toBe(200);
  return response.json();
}

function dial(): Socket {
  const socket = connect(port, '127.0.0.1');
  // Ignore errors, because the server closes the connection while the test still sends.
  socket.on('error', () => {});
  return socket;
}

const goodHeaders = {
  Host: 'localhost',
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': `${'A'.repeat(22)}==`,
};

function upgrade(url: string, headers: Record<string, string | undefined> = {}, method = 'GET'): string {
  const lines = Object.entries({ ...goodHeaders, ...headers })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${url} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}

/** Sends bytes and returns the status that comes back before the server ends the connection. */
async function statusOf(bytes: string): Promise<number> {
  const socket = dial();
  socket.write(bytes, 'latin1');
  const answer = await text(socket);
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0);
}

/** Opens a WebSocket at which the test writes every byte. */
async function open(): Promise<Socket> {
  const socket = dial();
  socket.write(upgrade('/live?topic=packages'));
  const [first] = (await once(socket, 'data')) as [Buffer];
  expect(first.toString('latin1')).toMatch(/^HTTP\/1\.1 101 /);
  socket.pause();
  return socket;
}

/** Returns all bytes that come until the connection ends. Hangs up when the server closes. */
async function ending(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    if (closeCode(Buffer.concat(chunks)) !== undefined) socket.end();
  });
  socket.resume();
  await once(socket, 'close');
  return Buffer.concat(chunks);
}

/** The code of the close frame at the end of the received bytes; undefined without such a frame. */
function closeCode(bytes: Buffer): number | undefined {
  const frame = bytes.subarray(-4);
  return frame[0] === 0x88 && frame[1] === 2 ? frame.readUInt16BE(2) : undefined;
}

const mask = [0, 0, 0, 0];
const brokenFrames: [what: string, bytes: number[], code: number | undefined][] = [
  ['a reserved bit', [0xc1, 0x80, ...mask], 1002],
  ['all reserved bits', [0xf1, 0x80, ...mask], 1002],
  ['a reserved opcode', [0x83, 0x80, ...mask], 1002],
  ['an unmasked frame', [0x81, 0x01, 0x41], 1002],
  ['text that is not UTF-8', [0x81, 0x82, ...mask, 0xc3, 0x28], 1007],
  ['a frame of 65,537 bytes', [0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, ...mask], 1009],
  ['a frame of 2^63 bytes', [0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, ...mask], 1009],
  ['a frame of 2^53 - 1 bytes', [0x82, 0xff, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, ...mask], 1009],
  ['a long control frame', [0x89, 0xfe, 0, 126, ...mask, ...Array(126).fill(0)], 1002],
  ['a control frame in pieces', [0x09, 0x80, ...mask], 1002],
  ['a piece without a beginning', [0x80, 0x80, ...mask], 1002],
  ['a close frame of one byte', [0x88, 0x81, ...mask, 0], 1002],
  ['a close frame with an invalid code', [0x88, 0x82, ...mask, 0x03, 0xed], 1002],
];

it.each(brokenFrames)('closes the socket on %s', async (_what, bytes, code) => {
  const socket = await open();
  socket.write(Buffer.from(bytes));
  expect(closeCode(await ending(socket))).toBe(code);
});

it('closes the socket on a message that grows too large in pieces', async () => {
  const socket = await open();
  const piece = Buffer.concat([Buffer.from([0x01, 0xfe, 0xff, 0xff, ...mask]), Buffer.alloc(0xffff, 0x41)]);
  socket.write(piece);
  piece[0] = 0x00;
  socket.write(piece);
  expect(closeCode(await ending(socket))).toBe(1009);
});

it('survives clients that send half a frame and then hang or disconnect', async () => {
  const halves = await Promise.all(Array.from({ length: 20 }, open));
  for (const [index, socket] of halves.entries()) {
    socket.write(Buffer.from([0x81, 0xfe, 0x10, 0x00, ...mask, 0x41].slice(0, 1 + (index % 9))));
    if (index % 3 === 0) resetSocket(socket);
    else if (index % 3 === 1) socket.end();
  }
  await readInventory();
  for (const socket of halves) socket.destroy();
});

it('survives random bytes instead of frames', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 5 }),
      async (writes) => {
        const socket = await open();
        for (const bytes of writes) socket.write(bytes);
        socket.end();
        await ending(socket);
      },
    ),
    { numRuns: 200 },
  );
});

it.each([
  ['//', 404],
  ['/', 404],
  ['/order', 404],
  ['/live/', 404],
  ['/LIVE?topic=packages', 404],
  ['/live', 404],
  ['/live?', 404],
  ['/live?topic=packages%', 404],
  ['/live?topic=order:%00&proof=%ff', 404],
  ['/live#topic=packages', 404],
  ['http://[', 404],
  ['http://[/live?topic=packages', 404],
  ['http://localhost/live?topic=packages', 404],
  ['*', 404],
  ['%', 400],
  ['%2e%2e/live', 400],
  ['/%', 404],
  ['/\\live', 404],
  ['\\\\live', 400],
  ['/live?topic=packages\0', 400],
  [`/live?topic=packages&${'a'.repeat(8192)}`, 400],
  [`/${'a'.repeat(8192)}`, 404],
  [`/live?${'%'.repeat(30_000)}`, 431],
  ['/live?topic=packages&\xff\xfe', 101],
])('answers an upgrade at %j with %i', async (url, status) => {
  if (status === 101) {
    const socket = dial();
    socket.write(upgrade(url), 'latin1');
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(first.toString('latin1')).toMatch(/^HTTP\/1\.1 (101|400) /);
    socket.destroy();
  } else {
    expect(await statusOf(upgrade(url))).toBe(status);
  }
});

const live = '/live?topic=packages';

it.each([
  ['no key', upgrade(live, { 'Sec-WebSocket-Key': undefined }), 400],
  ['an empty key', upgrade(live, { 'Sec-WebSocket-Key': '' }), 400],
  ['a key of nonsense', upgrade(live, { 'Sec-WebSocket-Key': '\xff\x01\x7f'.replaceAll('\x01', '') }), 400],
  ['a key that is too long', upgrade(live, { 'Sec-WebSocket-Key': 'A'.repeat(4000) }), 400],
  ['two keys', upgrade(live, { 'sec-websocket-key': `${'B'.repeat(22)}==` }), 400],
  ['no version', upgrade(live, { 'Sec-WebSocket-Version': undefined }), 400],
  ['a version of nonsense', upgrade(live, { 'Sec-WebSocket-Version': '13e0' }), 400],
  ['another version', upgrade(live, { 'Sec-WebSocket-Version': '12' }), 400],
  ['a protocol', upgrade(live, { 'Sec-WebSocket-Protocol': ',,' }), 400],
  ['no host', upgrade(live, { Host: undefined }), 400],
  ['an empty host', upgrade(live, { Host: '' }), 400],
  ['a host of nonsense', upgrade(live, { Host: 'a b/c?[' }), 400],
  ['half an IPv6 host', upgrade(live, { Host: '[::1' }), 400],
  ['a host with an impossible port', upgrade(live, { Host: 'localhost:99999' }), 400],
  ['another origin', upgrade(live, { Origin: 'http://evil.example' }), 403],
  ['an origin of nonsense', upgrade(live, { Origin: 'http://[' }), 403],
  ['POST', upgrade(live, { 'Content-Length': '0' }, 'POST'), 405],
  ['an unknown method', upgrade(live, {}, 'BREW'), 400],
  ['a header with a NUL', upgrade(live, { 'X-A': 'a\0b' }), 400],
])('refuses an upgrade with %s', async (_what, bytes, status) => {
  expect(await statusOf(bytes)).toBe(status);
});

it('survives upgrades with random URL, host and key', async () => {
  const bytes = fc
    .uint8Array({ minLength: 1, maxLength: 60 })
    .map((array) => Buffer.from(array).toString('latin1'));
  const url = fc.oneof(
    bytes,
    bytes.map((tail) => `/live?${tail}`),
    bytes.map((tail) => `//${tail}`),
    bytes.map((tail) => `http://[${tail}`),
  );
  const headers = fc.option(fc.record({ Host: bytes, 'Sec-WebSocket-Key': bytes }), { nil: {} });
  await fc.assert(
    fc.asyncProperty(url, headers, async (someUrl, someHeaders) => {
      const socket = dial();
      socket.end(upgrade(someUrl, someHeaders), 'latin1');
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(await text(socket))?.[1];
      // A request that ends before its headers end gets no answer.
      expect(['400', '404', '403', '405', undefined]).toContain(status);
    }),
    { numRuns: 400 },
  );
});

it('survives a client that disconnects during the handshake', async () => {
  const bytes = upgrade(live);
  for (let length = 1; length <= bytes.length; length += 7) {
    const socket = dial();
    socket.write(bytes.slice(0, length));
    if (length % 2 === 0) socket.end();
    else resetSocket(socket);
  }
});
