import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Connection } from './connection.ts';

interface Heard {
  readonly status?: number;
  readonly body?: string;
  readonly closed?: string;
}

/** Sends the answer in these pieces, each in a packet of its own, and returns the connection's events. */
async function heard(pieces: readonly string[], until: number): Promise<Heard[]> {
  const server = createServer((socket: Socket) => {
    socket.setNoDelay(true).once('data', async () => {
      for (const piece of pieces) {
        socket.write(piece);
        await pause(5);
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const all: Heard[] = [];
  const done = Promise.withResolvers<void>();
  const hear = (each: Heard) => {
    all.push(each);
    if (all.length === until) done.resolve();
  };
  const origin = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const connection = new Connection(origin, 0, {
    opened: () => connection.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    answered: (_, status, body) => hear({ status, body: body.toString() }),
    closed: (_, closed) => hear({ closed }),
  });
  await done.promise;
  connection.end();
  server.close();
  return all;
}

it('reads an answer with a content length in any pieces', async () => {
  const answer = 'HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello';
  expect(await heard([answer], 1)).toEqual([{ status: 201, body: 'hello' }]);
  expect(await heard(['HTTP/1.1 201 Cre', 'ated\r\ncontent-length: 5\r\n\r', '\nhe', 'llo'], 1)).toEqual([
    { status: 201, body: 'hello' },
  ]);
});

it('reads a chunked answer in any pieces', async () => {
  const head = 'HTTP/1.1 409 Conflict\r\nTransfer-Encoding: chunked\r\n\r\n';
  const expected = [{ status: 409, body: 'hello, world' }];
  expect(await heard([`${head}5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n`], 1)).toEqual(expected);
  expect(await heard([head, '5\r\nhe', 'llo\r\n7\r', '\n, world\r\n0\r\n', '\r\n'], 1)).toEqual(expected);
});

it('reads an answer without a body', async () => {
  expect(await heard(['HTTP/1.1 204 No Content\r\n\r\n'], 1)).toEqual([{ status: 204, body: '' }]);
});

it('reports that the server closes after an answer', async () => {
  const answer = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';
  expect(await heard([answer], 2)).toEqual([{ status: 200, body: 'ok' }, { closed: 'closed' }]);
});

it('closes the connection after an invalid answer', async () => {
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more';
  expect(await heard([answer], 1)).toEqual([{ closed: 'unreadable answer' }]);
});
