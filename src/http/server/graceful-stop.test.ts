import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { gracefulStop } from './server.ts';

const agent = new Agent({ keepAlive: true });

async function ask(port: number, path: string): Promise<{ body: string; connection: string | undefined }> {
  const asked = request({ port, host: '127.0.0.1', path, agent }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return { body: await text(answer), connection: answer.headers.connection };
}

test('a stopping server sends the pending answers and then closes their connections', async () => {
  const asked = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const server = createServer(async (incoming, outgoing) => {
    if (incoming.url === '/slow') {
      asked.resolve();
      await answered.promise;
    }
    outgoing.end(incoming.url);
  });
  const stop = gracefulStop(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  expect(await ask(port, '/quick')).toEqual({ body: '/quick', connection: 'keep-alive' });
  const slow = ask(port, '/slow');
  await asked.promise;
  let isStopped = false;
  const stopped = stop().then(() => {
    isStopped = true;
  });
  await expect(ask(port, '/late')).rejects.toThrow('ECONNREFUSED');
  expect(isStopped).toBe(false);
  answered.resolve();
  expect(await slow).toEqual({ body: '/slow', connection: 'close' });
  await stopped;
  agent.destroy();
});
