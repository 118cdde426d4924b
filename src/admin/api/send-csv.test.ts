import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Hono } from 'hono';
import { describe, expect, it, vi } from 'vitest';
import { fakeOperator } from '../../../test/support/fake-admin.ts';
import { recordingLog } from '../../../test/support/recording-log.ts';
import { onError } from '../../http/problem.ts';
import { createServer } from '../../http/server/server.ts';
import { silentLog } from '../../observability/log.ts';
import { StoreUnavailableError } from '../../storage/store.ts';
import { type CsvRow, sendCsv } from './send-csv.ts';

type Row = CsvRow<'id' | 'note'>;

/** A route that sends these pages. An error in their place is thrown when its page is read. */
function routeOf(...pages: readonly (readonly Row[] | Error)[]) {
  return slowRouteOf(0, ...pages);
}

/** Each page takes so many ms to read. */
function slowRouteOf(pageMs: number, ...pages: readonly (readonly Row[] | Error)[]) {
  const log = recordingLog();
  const state = { read: 0, isOver: false, opened: 0 };
  const clock = { monotonic: () => state.read * pageMs };
  async function* read(): AsyncGenerator<readonly Row[]> {
    try {
      for (const page of pages) {
        state.read += 1;
        if (page instanceof Error) throw page;
        yield page;
      }
    } finally {
      state.isOver = true;
    }
  }
  const open = async () => {
    state.opened += 1;
    return read();
  };
  const file = { name: 'some.csv', columns: ['id', 'note'], open } as const;
  const app = new Hono().get('/', (c) => sendCsv(c, file, { by: fakeOperator, log, clock }));
  app.onError(onError(silentLog));
  return { app, request: (method = 'GET') => app.request('/', { method }), state, log };
}

const textOf = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

describe('sendCsv', () => {
  it('sends the columns and all rows as a file for download, and logs who reads it', async () => {
    const first = [{ id: 1, note: 'Zürich, =1' }, { id: -2 }];
    const { request, state, log } = routeOf(first, [], [{ note: '=1' }]);
    const answer = await request();
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="some.csv"');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await answer.text()).toBe('id,note\r\n1,"Zürich, =1"\r\n-2,\r\n,\'=1\r\n');
    expect(state).toEqual({ read: 3, isOver: true, opened: 1 });
    expect(log.lines).toEqual(['an operator exports a file']);
  });

  it.each([
    ['no pages', []],
    ['one empty page', [[]]],
  ])('sends the columns alone if there are %s', async (_, pages) => {
    expect(await (await routeOf(...pages).request()).text()).toBe('id,note\r\n');
  });

  it('opens no file for HEAD', async () => {
    const { request, state } = routeOf([{ id: 1 }]);
    const answer = await request('HEAD');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8']);
    expect(await answer.text()).toBe('');
    expect(state.opened).toBe(0);
  });

  it('sets the status if the first page fails', async () => {
    const { request, state } = routeOf(new StoreUnavailableError('away'), [{ id: 1 }]);
    const answer = await request();
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'store_unavailable' }]);
    expect(state).toMatchObject({ read: 1, isOver: true });
  });

  it('cuts the file off if a later page fails, and logs it', async () => {
    const { request, log } = routeOf([{ id: 1 }], new StoreUnavailableError('away'));
    const answer = await request();
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow('away');
    expect(log.lines.at(-1)).toBe('a file was cut off while it was sent');
  });

  it.each(['1.0', '1.1'])('resets the connection if a later page fails, in HTTP/%s', async (version) => {
    const { app, state, log } = routeOf([{ id: 1 }, { id: 2 }], new StoreUnavailableError('away'));
    const server = createServer(app, silentLog).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write(`GET / HTTP/${version}\r\nHost: localhost\r\n\r\n`);
    await expect(text(socket)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect([state.isOver, log.lines.at(-1)]).toEqual([true, 'a file was cut off while it was sent']);
    // Nothing of the answer is left.
    await new Promise((resolve) => server.close(resolve));
  });

  it('reads a page only when the client has taken the one before', async () => {
    const { request, state } = routeOf([{ id: 1 }], [{ id: 2 }], [{ id: 3 }]);
    const reader = ((await request()).body as ReadableStream<Uint8Array>).getReader();
    expect(state.read).toBe(1);
    expect(textOf((await reader.read()).value)).toBe('id,note\r\n');
    expect(state.read).toBe(1);
    expect(textOf((await reader.read()).value)).toBe('1,\r\n');
    expect(state.read).toBe(2);
  });

  it('sends the last line byte by byte while it finds no rows, so that nobody closes a silent response', async () => {
    const empty = Array<readonly Row[]>(6).fill([]);
    const { request } = slowRouteOf(10_000, ...empty, [{ id: 1 }], ...empty, [{ id: 2 }]);
    const chunks: string[] = [];
    for await (const chunk of (await request()).body as ReadableStream<Uint8Array>)
      chunks.push(textOf(chunk));
    expect(chunks).toEqual(['i', 'd', ',', 'note\r\n', '1', ',', '\r', '\n', '2,\r\n']);
  });

  it('ends complete if its last line was sent byte by byte', async () => {
    const empty = Array<readonly Row[]>(50).fill([]);
    const { request } = slowRouteOf(20_000, [{ note: 'Zürich' }], ...empty);
    expect(await (await request()).text()).toBe('id,note\r\n,Zürich\r\n');
  });

  it.each([
    ['before the first page is sent', 0],
    ['in the middle', 1],
  ])('reads no further page if the client disconnects %s', async (_, taken) => {
    const { request, state, log } = routeOf([{ id: 1 }], [{ id: 2 }], [{ id: 3 }]);
    const reader = ((await request()).body as ReadableStream<Uint8Array>).getReader();
    for (let count = 0; count < taken; count++) await reader.read();
    await reader.cancel();
    expect(state).toEqual({ read: 1, isOver: true, opened: 1 });
    expect(log.lines).toEqual(['an operator exports a file']);
  });

  it('notices that the client disconnects also between pages without rows', async () => {
    const empty: readonly Row[] = [];
    const { request, state } = routeOf([{ id: 1 }], ...Array<readonly Row[]>(1_000).fill(empty));
    const reader = ((await request()).body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    const next = reader.read();
    await reader.cancel();
    expect((await next).done).toBe(true);
    expect(state.isOver).toBe(true);
    expect(state.read).toBeLessThan(10);
  });

  it('reads no further page if the client takes nothing until the socket times out', async () => {
    const page = Array<Row>(100).fill({ id: 1, note: 'x'.repeat(1_000) });
    const pages = Array<readonly Row[]>(1_000).fill(page);
    const { app, state } = routeOf(...pages);
    const server = createServer(app, silentLog, undefined, { timeout: 300 }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
    socket.pause().write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await vi.waitFor(() => expect(state.isOver).toBe(true), { timeout: 5_000 });
    expect(state.read).toBeLessThan(pages.length);
    socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
});
