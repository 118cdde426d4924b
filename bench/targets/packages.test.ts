import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { readArguments, type TargetsParams } from '../arguments.ts';
import { choosePackages } from './packages.ts';
import type { ShownPackage } from './shown-packages.ts';

const usual = [{ id: 1 }, { id: 2 }];

/** A deployment whose admin API gives this answer, and a log of its requests. */
async function deployment(status: number, body: object, packages: readonly ShownPackage[] = usual) {
  const asked: { readonly token: string | undefined; readonly body: Readonly<Record<string, unknown>> }[] =
    [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [, id] = /^\/api\/packages(?:\/(\d+))?$/.exec(request.url ?? '') ?? ['', 'other'];
    if (id === undefined) {
      response.end(JSON.stringify({ packages }));
      return;
    }
    if (id !== 'other') {
      const shown = [...packages, ...('id' in body ? [body] : [])].find(
        (each) => 'id' in each && each.id === Number(id),
      );
      response.writeHead(shown === undefined ? 404 : 200).end(JSON.stringify(shown ?? {}));
      return;
    }
    if (request.method === 'POST' && request.url === '/api/admin/packages')
      asked.push({
        token: request.headers.authorization,
        body: JSON.parse(Buffer.concat(chunks).toString()),
      });
    response.writeHead(status).end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    asked,
    origin,
    choose: (line: string, ...others: readonly string[]) =>
      choosePackages(
        readArguments([
          '--targets',
          [origin, ...others].join(),
          ...line.split(' ').filter(Boolean),
        ]) as TargetsParams,
        new AbortController().signal,
      ),
    [Symbol.dispose]: () => void server.close().closeAllConnections(),
  };
}

it('creates a package of its own with the admin token', async () => {
  using target = await deployment(201, { id: 77 });
  expect((await target.choose('--admin-token abc')).packages).toEqual([77]);
  expect(target.asked).toEqual([
    {
      token: 'Bearer abc',
      body: expect.objectContaining({ quota: expect.any(Number), flight: 'BENCH', listed: false }),
    },
  ]);
});

it.each([
  [401, 'does not take this admin token'],
  [404, 'has no POST /api/admin/packages'],
  [500, 'answers 500'],
])('explains the answer %i of the admin API', async (status, why) => {
  using target = await deployment(status, {});
  await expect(target.choose('--admin-token abc')).rejects.toThrow(why);
});

it('buys only with --spend', async () => {
  using target = await deployment(201, { id: 77 });
  await expect(target.choose('')).rejects.toThrow('Nothing here may be bought');
  await expect(target.choose('--package 1')).rejects.toThrow('say --spend');
  await expect(target.choose('--package 9 --spend')).rejects.toThrow('has no package 9');
  expect((await target.choose('--package 2 --spend')).packages).toEqual([2]);
  expect((await target.choose('--read-only')).packages).toEqual([1, 2]);
  expect((await target.choose('--read-only --package 2')).packages).toEqual([2]);
  expect(target.asked).toEqual([]);
});

it('warns if another instance shows other packages', async () => {
  using target = await deployment(201, { id: 77 });
  using same = await deployment(201, {});
  using other = await deployment(201, {}, [{ id: 1, quota: 9 }, { id: 2 }]);
  expect((await target.choose('--package 1 --spend', same.origin)).notes).toHaveLength(1);
  const { packages, notes } = await target.choose('--package 1 --spend', same.origin, other.origin);
  expect(packages).toEqual([1]);
  expect(notes[1]).toMatch(/^WARNING: .* does not show package 1 as /);
  expect(notes[1]).toContain(other.origin);
  expect((await target.choose('--read-only --package 2', other.origin)).notes).toHaveLength(1);
});

it('buys nothing if another instance has a different package under the same id', async () => {
  using target = await deployment(201, { id: 77 });
  using other = await deployment(201, {}, [{ id: 77, quota: 3 }]);
  await expect(target.choose('--admin-token abc', other.origin)).rejects.toThrow(
    /^Nothing was bought\. .* does not show package 77/,
  );
});

it('accepts unlisted packages by id', async () => {
  using target = await deployment(201, { id: 88 });
  expect((await target.choose('--package 88 --spend', target.origin)).packages).toEqual([88]);
  expect((await target.choose('--read-only')).packages).toEqual([1, 2]);
});
