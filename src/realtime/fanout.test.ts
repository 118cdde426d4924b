import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Channel, textFrame } from './fanout.ts';

const server = createServer();
let text = '';

beforeAll(async () => {
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, () => socket.write(textFrame(text)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
});

it.each([0, 1, 125, 126, 127, 65_534, 65_535, 65_536, 70_000])(
  'makes a frame of %i bytes that the ws library can read',
  async (length) => {
    text = length < 3 ? 'x'.repeat(length) : `€${'x'.repeat(length - 3)}`;
    const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const [heard, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
    socket.terminate();
    expect([heard.length, isBinary]).toEqual([length, false]);
    expect(heard.toString() === text).toBe(true);
  },
);

it('has nothing new for programs when a message says the same as before', () => {
  const said = (text: string) => [{ rootId: 'order-live', text }];
  const [json, page] = [new Channel('json'), new Channel('de')];
  for (const channel of [json, page]) for (const text of ['1', '1', '2', '2']) channel.put(said(text));
  expect([json.version, page.version]).toEqual([2, 4]);
  expect(json.frameSince(0)).toEqual(textFrame('2'));
});

it('sends programs each state in a frame of its own', () => {
  const channel = new Channel('json');
  channel.put([1, 2].map((id) => ({ rootId: `stay-${id}`, text: `{"package":${id}}` })));
  expect(channel.frameSince(0)).toEqual(Buffer.concat([1, 2].map((id) => textFrame(`{"package":${id}}`))));
});
