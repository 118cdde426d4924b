import { describe, expect, it, vi } from 'vitest';
import type { z } from 'zod';
import {
  type AdminOverrides,
  fakeAdmin,
  fakeAuth,
  fakeOperator,
  fakeStatus,
} from '../../../test/support/fake-admin.ts';
import { fakeEngine, fakeNow, fakeOrder } from '../../../test/support/fake-engine.ts';
import { createApp } from '../../compose/app.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { silentLog } from '../../observability/log.ts';
import { localLiveBus } from '../../realtime/live-bus.ts';
import { StoreUnavailableError } from '../../storage/store.ts';
import type { HttpAdmin } from '../admin-auth.ts';
import * as schemas from './answers.ts';

const token = 'secret';

function appOf(admin?: HttpAdmin) {
  const { app } = createApp({
    ...{ engine: fakeEngine(), liveBus: localLiveBus(), suppliers: {} as never },
    clock: {
      now: () => fakeNow,
      monotonic: () => 0,
      sleep: (_ms, signal) =>
        new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true })),
    },
    random: { bytes: (count) => new Uint8Array(count), fraction: () => 0.5 },
    ...{ log: silentLog, settings: { instanceId: 'one', secret: 's'.repeat(32), currency: 'USD' } },
    ...(admin === undefined ? {} : { admin }),
  });
  return app;
}

function adminWith(overrides: AdminOverrides = {}, rights: { readonly mayChange?: boolean } = {}) {
  const service = fakeAdmin({}, overrides);
  const app = appOf({ service, auth: fakeAuth(token, token, rights) });
  const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    app.request(`/api/admin${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return { send, service, world: service.world, calls: service.calls };
}

async function fits(answer: Response, schema: z.ZodType, status = 200): Promise<Record<string, unknown>> {
  expect(answer.status).toBe(status);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  const body = (await answer.json()) as Record<string, unknown>;
  expect(schema.parse(body)).toEqual(body);
  return body;
}

async function codeOf(answer: Response): Promise<ErrorCode> {
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  return ((await answer.json()) as { code: ErrorCode }).code;
}

const everyRoute = [
  ['GET', '/packages'],
  ['POST', '/packages'],
  ['GET', '/packages/1'],
  ['PATCH', '/packages/1'],
  ['POST', '/packages/1/pause'],
  ['POST', '/packages/1/resume'],
  ['POST', '/packages/1/archive'],
  ['DELETE', '/packages/1'],
  ['GET', '/instances'],
  ['POST', '/instances/instance-2/drain'],
  ['POST', '/instances/instance-2/dismiss'],
  ['GET', '/orders'],
  ['POST', '/orders/search'],
  ['GET', '/orders/7Q4M-9XKD-2VBN-H5TR'],
  ['POST', '/orders/7Q4M-9XKD-2VBN-H5TR/retry'],
  ['POST', '/orders/7Q4M-9XKD-2VBN-H5TR/cancel'],
  ['POST', '/erase'],
  ['GET', '/dead-letters'],
  ['POST', '/dead-letters/retry'],
  ['POST', '/dead-letters/discard'],
  ['GET', '/orders.csv'],
  ['GET', '/audit'],
  ['GET', '/reconciliation.csv'],
  ['GET', '/changes'],
] as const;

describe('authorisation', () => {
  it.each([...everyRoute, ['GET', '/nothing'], ['DELETE', '/packages'], ['GET', '']] as const)(
    '%s %s answers 404 if no admin token is set, and 401 to a caller without the token',
    async (method, path) => {
      const off = await appOf().request(`/api/admin${path}`, { method });
      expect([off.status, await codeOf(off)]).toEqual([404, 'unknown_route']);
      const { send, calls } = adminWith();
      const closed = await send(method, path, undefined, { authorization: 'Bearer another' });
      expect([closed.status, await codeOf(closed)]).toEqual([401, 'unauthorized']);
      expect(closed.headers.get('www-authenticate')).toBe('Bearer');
      expect(calls).toEqual([]);
    },
  );

  it('an operator gets 404 for an unknown URL, and 405 with the allowed methods for a wrong method', async () => {
    const { send } = adminWith();
    expect(await codeOf(await send('GET', '/nothing'))).toBe('unknown_route');
    for (const [method, path, allow] of [
      ['PUT', '/packages/1', 'GET, PATCH, DELETE, HEAD, OPTIONS'],
      ['GET', '/packages/1/archive', 'POST, OPTIONS'],
      ['GET', '/packages/1/pause', 'POST, OPTIONS'],
      ['POST', '/audit', 'GET, HEAD, OPTIONS'],
      ['GET', '/erase', 'POST, OPTIONS'],
    ] as const) {
      const answer = await send(method, path);
      expect([answer.status, answer.headers.get('allow')], path).toEqual([405, allow]);
      const taken = allow.replace(/, (HEAD|OPTIONS)/g, '').replaceAll(', ', ' and ');
      expect(await answer.json()).toMatchObject({ detail: `This address takes ${taken}, not ${method}.` });
    }
  });
});

describe('an operator who may only read', () => {
  const reader = () => adminWith({}, { mayChange: false });

  it.each(everyRoute)('gets an answer from %s %s only if it changes nothing', async (method, path) => {
    const { send, calls } = reader();
    const answer = await send(method, path);
    const onlyReads = method === 'GET' || path === '/orders/search';
    if (onlyReads) expect(answer.status).not.toBe(403);
    else expect([answer.status, await codeOf(answer)]).toEqual([403, 'read_only']);
    expect(calls).toEqual([]);
  });

  it('finds the orders of an email, and gets 404 and 405 as others do', async () => {
    const { send } = reader();
    const found = await send('POST', '/orders/search', { email: 'ana@example.com' });
    await fits(found, schemas.operatedOrdersAnswer);
    expect(await codeOf(await send('POST', '/nothing'))).toBe('unknown_route');
    expect(await codeOf(await send('PUT', '/packages/1'))).toBe('method_not_allowed');
  });
});

describe('packages', () => {
  it('are shown with their owner and the owner’s activity', async () => {
    const { send, world } = adminWith();
    world.packages.push(fakeStatus({ id: 2, opensAt: fakeNow, paused: true }, {}, { obstacle: 'paused' }));
    const listed = await fits(await send('GET', '/packages'), schemas.packageStatusesAnswer);
    expect(listed).toMatchObject({
      packages: [
        { id: 1, version: 1, owner: { instance: 'instance-1', epoch: 7 }, activity: { mailbox: 3 } },
        { id: 2, paused: true, obstacle: 'paused', opensAt: '2022-08-01T00:00:00.000Z' },
      ],
    });
    await fits(await send('GET', '/packages/2'), schemas.packageStatusAnswer);
    expect(await codeOf(await send('GET', '/packages/99'))).toBe('unknown_package');
    expect(await codeOf(await send('GET', '/packages/x'))).toBe('unknown_package');
  });

  it('are archived when their sale has ended, and are listed only with archived=true from then on', async () => {
    const { send, world } = adminWith();
    world.packages = [fakeStatus({ listed: false }, { held: 1 }), fakeStatus({ id: 2 })];
    const ids = async (query: string) => {
      const { packages } = await fits(await send('GET', `/packages${query}`), schemas.packageStatusesAnswer);
      return (packages as { id: number }[]).map(({ id }) => id);
    };
    expect(await codeOf(await send('POST', '/packages/1/archive'))).toBe('sale_not_ended');
    world.packages = [
      fakeStatus({ listed: false, paused: true }, {}, { obstacle: 'paused' }),
      fakeStatus({ id: 2 }),
    ];
    expect(await fits(await send('POST', '/packages/1/archive'), schemas.managedPackageAnswer)).toMatchObject(
      { id: 1, listed: false, archived: true },
    );
    expect([await ids(''), await ids('?archived=true'), await ids('?archived=false')]).toEqual([
      [2],
      [1],
      [2],
    ]);
    expect(await codeOf(await send('GET', '/packages?archived=1'))).toBe('invalid');
  });

  it('are deleted only while nobody has ordered them', async () => {
    const { send, world } = adminWith();
    world.packages = [fakeStatus(), fakeStatus({ id: 2 }, { nextNumber: 2 })];
    expect((await send('DELETE', '/packages/1')).status).toBe(204);
    expect(await codeOf(await send('DELETE', '/packages/1'))).toBe('unknown_package');
    expect(await codeOf(await send('DELETE', '/packages/2'))).toBe('package_not_empty');
  });

  it('are created with the required members alone, and with all members', async () => {
    const { send } = adminWith();
    const bench = { flight: 'BENCH', stay: '2030-01-01', price: 100, quota: 10_000_000 };
    const answer = await send('POST', '/packages', bench);
    expect(answer.headers.get('location')).toBe('/api/admin/packages/99');
    await fits(answer, schemas.managedPackageAnswer, 201);
    const create = vi.fn(fakeAdmin().packages.create);
    const full = { ...bench, id: 5, opensAt: '2030-01-01T09:00:00+02:00', closesAt: '2030-01-01T08:00:00Z' };
    await fits(
      await adminWith({ packages: { create } }).send('POST', '/packages', full),
      schemas.managedPackageAnswer,
      201,
    );
    expect(create).toHaveBeenCalledWith(fakeOperator, {
      ...full,
      opensAt: Date.UTC(2030, 0, 1, 7),
      closesAt: Date.UTC(2030, 0, 1, 8),
    });
    const { send: again } = adminWith();
    expect(await codeOf(await again('POST', '/packages', { ...bench, id: 1 }))).toBe('package_exists');
  });

  it.each([
    [{}, 'flight'],
    [{ quota: -1 }, 'quota'],
    [{ quota: 1.5 }, 'quota'],
    [{ quota: 1e10 }, 'quota'],
    [{ price: '5' }, 'price'],
    [{ stay: '2030-02-30' }, 'stay'],
    [{ flight: ' ' }, 'flight'],
    [{ flight: 'F'.repeat(101) }, 'flight'],
    [{ opensAt: '2030-01-01T09:00:00' }, 'opensAt'],
    [{ id: 0 }, 'id'],
    [{ opensAt: '2030-01-02T00:00:00Z', closesAt: '2030-01-01T00:00:00Z' }, 'closesAt'],
    [{ owner: 'me' }, ''],
  ])('are not created from %j', async (wrong, path) => {
    const { send, calls } = adminWith();
    const whole = { flight: 'F', stay: '2030-01-01', price: 1, quota: 1, ...wrong };
    const body = Object.keys(wrong).length === 0 ? {} : whole;
    const answer = await send('POST', '/packages', body);
    expect(answer.status).toBe(422);
    const { errors } = (await answer.json()) as { errors: { path: string }[] };
    expect(errors.map((error) => error.path)).toContain(path);
    expect(calls).toEqual([]);
  });

  it('are changed only if the request names their current version', async () => {
    const { send, calls } = adminWith();
    const body = { version: 1, quota: 60, opensAt: null, closesAt: '2030-01-01T00:00:00Z' };
    const updated = await fits(await send('PATCH', '/packages/1', body), schemas.managedPackageAnswer);
    expect(updated).toMatchObject({ quota: 60, version: 2, closesAt: '2030-01-01T00:00:00.000Z' });
    expect(calls).toEqual([`amend 1 {"quota":60,"opensAt":null,"closesAt":${Date.UTC(2030, 0, 1)}}`]);
    expect(await codeOf(await send('PATCH', '/packages/1', body))).toBe('version_conflict');
    expect(await codeOf(await send('PATCH', '/packages/1', { quota: 1 }))).toBe('invalid');
    expect(await codeOf(await send('PATCH', '/packages/99', body))).toBe('unknown_package');
    expect(await codeOf(await send('PATCH', '/packages/1', { version: 2, id: 3 }))).toBe('invalid');
  });

  it('are paused and resumed', async () => {
    const { send, calls } = adminWith();
    const paused = await fits(await send('POST', '/packages/1/pause'), schemas.managedPackageAnswer);
    expect(paused).toMatchObject({ paused: true });
    expect(await (await send('POST', '/packages/1/resume')).json()).not.toHaveProperty('paused');
    expect(calls).toEqual(['pause 1', 'resume 1']);
    expect(await codeOf(await send('POST', '/packages/99/pause'))).toBe('unknown_package');
  });
});

describe('instances', () => {
  it('are shown with their load, and silent instances are shown without load', async () => {
    const { send, world } = adminWith();
    world.instances.push({ id: 'instance-3', isThis: false, state: 'silent' });
    const shown = await fits(await send('GET', '/instances'), schemas.instancesAnswer);
    expect(shown.instances).toMatchObject([
      { isThis: true, load: { sockets: 230 } },
      {},
      { state: 'silent' },
    ]);
  });

  it('are drained by name', async () => {
    const { send } = adminWith();
    await fits(await send('POST', '/instances/instance-2/drain'), schemas.drainAnswer, 202);
    for (const name of ['instance-9', '%20', 'a%2Fb']) {
      expect(await codeOf(await send('POST', `/instances/${name}/drain`)), name).toBe('unknown_instance');
    }
  });
});

describe('orders', () => {
  const operated = { order: fakeOrder({ status: 'held' }), since: fakeNow, health: 'stuck' } as const;

  it('are found by the parameters of the query', async () => {
    const list = vi.fn(async () => ({ items: [operated], next: '1-5' }));
    const { send } = adminWith({ orders: { list } });
    const query = '?stuck=true&package=3&status=held&cursor=2-7&limit=200';
    const found = await fits(await send('GET', `/orders${query}`), schemas.operatedOrdersAnswer);
    expect(found).toMatchObject({ orders: [{ concern: 'stuck', number: 1 }], next: '1-5' });
    const params = { stuck: true, packageId: 3, status: 'held', cursor: '2-7', limit: 200 };
    expect(list).toHaveBeenCalledWith(params);
  });

  it.each(['stuck=yes', 'package=0', 'status=lost', 'cursor=x', 'limit=0', 'limit=201'])(
    'are not searched if the query has the invalid parameter %s',
    async (query) => {
      expect(await codeOf(await adminWith().send('GET', `/orders?${query}`))).toBe('invalid');
    },
  );

  it('are shown, retried and cancelled by an id in any spelling', async () => {
    const { send, world, calls } = adminWith();
    world.orders.push(operated);
    await fits(await send('GET', '/orders/7q4m9xkd2vbnh5tr'), schemas.operatedOrderAnswer);
    const retried = await send('POST', '/orders/7q4m9xkd2vbnh5tr/retry');
    expect(await retried.json()).toMatchObject({ status: 'held' });
    expect(await codeOf(await send('POST', '/orders/7Q4M-9XKD-2VBN-H5TR/cancel'))).toBe('in_progress');
    expect(calls).toEqual(['retry 7Q4M-9XKD-2VBN-H5TR', 'cancel 7Q4M-9XKD-2VBN-H5TR']);
    for (const id of ['0000-0000-0000-0000', 'nobody']) {
      expect(await codeOf(await send('GET', `/orders/${id}`))).toBe('unknown_order');
    }
  });

  it('are included in the answer if their retry is refused', async () => {
    const order = fakeOrder({ status: 'failed' });
    const { send } = adminWith({
      orders: { retry: async () => ({ kind: 'refused', code: 'not_retryable', order }) },
    });
    const answer = await send('POST', `/orders/${order.id}/retry`);
    expect([answer.status, await answer.json()]).toMatchObject([409, { order: { status: 'failed' } }]);
  });
});

describe('exports', () => {
  const linesOf = async (answer: Response): Promise<string[]> => {
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8']);
    return (await answer.text()).split('\r\n');
  };

  it('has the orders that the query asks for', async () => {
    const { send, world } = adminWith();
    const order = fakeOrder({ email: '+ana@example.com' });
    world.orders.push({ order, since: fakeNow });
    const [columns, row, ...rest] = await linesOf(await send('GET', '/orders.csv'));
    expect(columns).toMatch(/^id,packageId,number,/);
    expect(row).toBe(
      "7Q4M-9XKD-2VBN-H5TR,1,1,Flight-1,2022-08-09,100,USD,'+ana@example.com,queued,,,," +
        '2022-08-01T00:00:00.000Z,2022-08-01T00:00:00.000Z,,,,,,',
    );
    expect(rest).toEqual(['']);
    for (const query of ['package=2', 'status=held', 'from=2022-08-02', 'to=2022-08-01'])
      expect(await linesOf(await send('GET', `/orders.csv?${query}`)), query).toEqual([columns, '']);
    const all = 'package=1&status=queued&from=2022-08-01&to=2022-08-01T02:00:01%2B02:00';
    expect(await linesOf(await send('GET', `/orders.csv?${all}`))).toEqual([columns, row, '']);
  });

  it('passes the query on as times', async () => {
    const exportPages = vi.fn(fakeAdmin().orders.exportPages);
    await adminWith({ orders: { exportPages } }).send(
      'GET',
      '/orders.csv?package=7&status=failed&from=2030-01-01&to=2030-01-01T09:00:00%2B02:00',
    );
    expect(exportPages).toHaveBeenCalledWith({
      ...{ packageId: 7, status: 'failed' },
      ...{ from: Date.UTC(2030, 0, 1), to: Date.UTC(2030, 0, 1, 7) },
    });
  });

  it.each([
    ['package=0', 'package'],
    ['status=lost', 'status'],
    ['from=yesterday', 'from'],
    ['from=2030-02-30', 'from'],
    ['to=2030-01-01T09:00:00', 'to'],
    ['from=2030-01-02&to=2030-01-02', 'to'],
    ['form=2030-01-01', ''],
    ['from=2030-01-01&from=2030-01-02', 'from'],
  ])('has no orders for the invalid query %s', async (query, path) => {
    const answer = await adminWith().send('GET', `/orders.csv?${query}`);
    expect(answer.status).toBe(422);
    const { errors } = (await answer.json()) as { errors: { path: string }[] };
    expect(errors.map((error) => error.path)).toEqual([path]);
  });

  it('has the reconciliation, or says why there is none', async () => {
    const { send, world } = adminWith();
    world.reconciled.push({ kind: 'no_order', ledger: 'flights', orderId: 'AAAA', inLedger: '=F-1' });
    expect(await linesOf(await send('GET', '/reconciliation.csv'))).toEqual([
      'result,ledger,orderId,packageId,number,status,inOrder,inLedger',
      "no_order,flights,AAAA,,,,,'=F-1",
      '',
    ]);
    const reconcile = async () => ({ kind: 'refused', code: 'audit_running' }) as const;
    const refused = await adminWith({ audits: { reconcile } }).send('GET', '/reconciliation.csv');
    expect([refused.status, await codeOf(refused)]).toEqual([409, 'audit_running']);
  });
});

describe('emails, the change log, audits and outages', () => {
  it('an email is erased in its canonical form', async () => {
    const { send, calls } = adminWith();
    await fits(await send('POST', '/erase', { email: ' Ana@Example.com ' }), schemas.erasedAnswer);
    const old = `${'a'.repeat(65)}@example.com`;
    for (const email of ['Ana@Bücher.example', old]) {
      await fits(await send('POST', '/erase', { email }), schemas.erasedAnswer);
      await fits(await send('POST', '/orders/search', { email }), schemas.operatedOrdersAnswer);
    }
    expect(calls).toEqual(['erase ana@example.com', 'erase ana@xn--bcher-kva.example', `erase ${old}`]);
    expect(await codeOf(await send('POST', '/erase', { email: 'nobody' }))).toBe('invalid');
  });

  it('the change log is listed, newest first', async () => {
    const { send } = adminWith();
    await send('POST', '/packages/1/pause');
    const list = vi.fn(fakeAdmin().changes.list);
    const shown = await fits(await send('GET', '/changes?limit=3'), schemas.changesAnswer);
    expect(shown.changes).toMatchObject([{ action: 'package.pause', at: '2022-08-01T00:00:00.000Z' }]);
    const cursor = '1795430175219-000000001-gxo_PX0ddb-vq';
    await adminWith({ changes: { list } }).send('GET', `/changes?limit=3&cursor=${cursor}`);
    expect(list).toHaveBeenCalledWith(cursor, 3);
    expect(await codeOf(await send('GET', '/changes?cursor=x'))).toBe('invalid');
  });

  const report = {
    ...{ ok: true, packages: 1, orders: 2, reservations: 2, publicReservations: 0, suppliersRead: true },
    ...{ inMotion: [], findings: [] },
  };

  it('an audit answers with its report', async () => {
    const run = vi.fn(async () => ({ kind: 'done', value: report }) as const);
    await fits(
      await adminWith({ audits: { run } }).send('GET', '/audit?clockSkewMs=50'),
      schemas.auditAnswer,
    );
    expect(run).toHaveBeenCalledWith({ clockSkewMs: 50 });
    expect(await codeOf(await adminWith().send('GET', '/audit'))).toBe('audit_running');
    expect(await codeOf(await adminWith({ audits: { run } }).send('GET', '/audit?clockSkewMs=-1'))).toBe(
      'invalid',
    );
  });

  it('every read answers 503 while the store is unavailable', async () => {
    const { send } = adminWith({
      packages: { list: () => Promise.reject(new StoreUnavailableError('away')) },
    });
    const answer = await send('GET', '/packages');
    expect([answer.status, await codeOf(answer)]).toEqual([503, 'store_unavailable']);
  });
});
