import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, vi } from 'vitest';
import { makeOwnPackage } from './own-package.ts';

interface AdminBehaviour {
  /** An older version: it refuses `listed` and has no archive route. */
  readonly isOld?: boolean;
  /** The number of reads that show a held unit. */
  readonly heldFor?: number;
  /** How often archiving is refused. */
  readonly refusedFor?: number;
  /** Whether an operator changes the package before the bench does. */
  readonly isChanged?: boolean;
}

/** An admin API like the server's with one package, and a log of its requests. */
async function admin({ isOld = false, heldFor = 0, refusedFor = 0, isChanged = false }: AdminBehaviour = {}) {
  const asked: string[] = [];
  let [looks, refusals, version] = [0, 0, isChanged ? 4 : 3];
  const answer = (method: string, path: string, body: Record<string, unknown>): [number, object] => {
    switch (`${method} ${path}`) {
      case 'POST /api/admin/packages':
        return isOld && 'listed' in body ? [422, { code: 'invalid' }] : [201, { id: 7, version: 3 }];
      case 'PATCH /api/admin/packages/7':
        if (body.version !== version) return [409, { code: 'version_conflict' }];
        version += 1;
        return [200, { id: 7, version }];
      case 'GET /api/admin/packages/7':
        looks += 1;
        return [200, { id: 7, version, waiting: 0, held: looks > heldFor ? 0 : 2 }];
      case 'POST /api/admin/packages/7/archive':
        refusals += 1;
        if (isOld) return [404, { code: 'not_found' }];
        return refusals > refusedFor ? [200, { id: 7 }] : [409, { code: 'sale_not_ended' }];
      default:
        return [500, {}];
    }
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    asked.push(`${request.method} ${request.url} ${text}`.trim());
    const [status, body] = answer(request.method ?? '', request.url ?? '', JSON.parse(text || '{}'));
    response.writeHead(status).end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    asked,
    target: { origins: [origin], headers: [], adminToken: 'secret-token' },
    [Symbol.dispose]: () => void server.close().closeAllConnections(),
  };
}

it('creates an unlisted package, and archives it once all its orders have ended', async () => {
  using server = await admin({ heldFor: 2, refusedFor: 1 });
  const own = await makeOwnPackage(server.target);
  expect(own).toMatchObject({ id: 7, isListed: false });
  expect(JSON.parse(server.asked[0]?.replace('POST /api/admin/packages ', '') ?? '')).toMatchObject({
    flight: 'BENCH',
    listed: false,
  });
  let archivedBefore: number | undefined;
  const beforeArchive = async () => {
    archivedBefore = server.asked.filter((line) => line.endsWith('/archive')).length;
  };
  expect(await own.retire(beforeArchive)).toBe('Package 7, made for this bench, is archived.');
  expect(archivedBefore).toBe(0);
  expect(server.asked.slice(1)).toEqual([
    'PATCH /api/admin/packages/7 {"version":3,"paused":true}',
    ...Array.from({ length: 3 }, () => 'GET /api/admin/packages/7'),
    ...Array.from({ length: 2 }, () => 'POST /api/admin/packages/7/archive'),
  ]);
});

it('pauses the package although an operator has changed it meanwhile', async () => {
  using server = await admin({ isChanged: true });
  const own = await makeOwnPackage(server.target);
  expect(await own.retire()).toContain('is archived');
});

it('works with a server that has no `listed` and no archive, and reports this', async () => {
  using server = await admin({ isOld: true });
  const own = await makeOwnPackage(server.target);
  expect(own.isListed).toBe(true);
  expect(await own.retire()).toMatch(/is paused and stays on the customers’ page .* cannot archive/);
});

it.each([
  ['something of it is held for ever', { heldFor: Number.POSITIVE_INFINITY }, /still held or waiting/],
  ['archiving is refused for ever', { refusedFor: Number.POSITIVE_INFINITY }, /409 sale_not_ended/],
])('explains how to clean up by hand if %s', async (_what, behaviour, why) => {
  using server = await admin(behaviour);
  const own = await makeOwnPackage(server.target, 300);
  const beforeArchive = vi.fn(async () => {});
  const words = await own.retire(beforeArchive);
  expect(words).toMatch(/^WARNING: package 7/);
  expect(words).toMatch(why);
  expect(words).toContain(`${server.target.origins[0]}/api/admin/packages/7/pause`);
  expect(words).not.toContain('secret-token');
  // The audit runs all the same.
  expect(beforeArchive).toHaveBeenCalledOnce();
});

it('uses another instance if the first one is gone, and reports if all are gone', async () => {
  const server = await admin();
  const gone = 'http://127.0.0.1:1';
  const own = await makeOwnPackage({ ...server.target, origins: [gone, ...server.target.origins] });
  expect(await own.retire()).toContain('is archived');
  const another = await makeOwnPackage(server.target);
  server[Symbol.dispose]();
  expect(await another.retire()).toMatch(/could not be archived: .* does not answer/);
});
