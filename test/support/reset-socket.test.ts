import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { resetSocket } from './reset-socket.ts';

async function connected() {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const near = connect({ port: (server.address() as AddressInfo).port, allowHalfOpen: true });
  await once(near, 'connect');
  const [far] = await accepted;
  return {
    near,
    far,
    [Symbol.dispose]() {
      far.destroy();
      server.close();
    },
  };
}

it('resets a connection', async () => {
  using pair = await connected();
  const [[error]] = await Promise.all([
    once(pair.far, 'error'),
    once(pair.near, 'close'),
    resetSocket(pair.near),
  ]);
  expect(error).toMatchObject({ code: 'ECONNRESET' });
});

it('closes a connection that is already ending', async () => {
  using pair = await connected();
  pair.near.end();
  resetSocket(pair.near);
  await once(pair.near, 'close');
});
