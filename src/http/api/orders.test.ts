import { Hono } from 'hono';
import { describe, expect, it, vi } from 'vitest';
import { fakeEngine, fakeNow, fakeOrder, fakeSnapshot } from '../../../test/support/fake-engine.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { Order, OrderStatus } from '../../domain/order.ts';
import type { BookingEngine, PurchaseRequest } from '../../engine/engine.ts';
import { silentLog } from '../../observability/log.ts';
import type { HttpLimits } from '../../rate-limits/limits.ts';
import { checkHandshake } from '../../realtime/handshake.ts';
import { StoreUnavailableError } from '../../storage/store.ts';
import { onError, problem } from '../problem.ts';
import { orderRoutes, packageOrderRoutes } from './orders.ts';

const clock = { now: () => fakeNow, monotonic: () => 0, sleep: async () => {} };
const settings = { secret: 's'.repeat(32) };

function appWith(overrides: Partial<BookingEngine> = {}): Hono {
  const services = { engine: fakeEngine(overrides), clock, settings };
  const app = new Hono()
    .route('/api/orders', orderRoutes(services))
    .route('/api/packages', packageOrderRoutes(services));
  app.onError(onError(silentLog));
  app.notFound((c) => problem(c, 'unknown_route'));
  return app;
}

const purchase = { packageId: 1, email: 'ana@example.com' };

function post(app: Hono, path: string, body: unknown, headers: Record<string, string> = {}) {
  return app.request(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

async function settledAs(status: OrderStatus, more: Partial<Order> = {}, headers = {}) {
  const order = fakeOrder({ status, ...more });
  const answer = await post(appWith({ outcome: async () => order }), '/api/orders', purchase, headers);
  return { answer, body: (await answer.json()) as Record<string, unknown> };
}

describe('POST /api/orders', () => {
  it('answers 201 with the order once it is confirmed', async () => {
    const { answer, body } = await settledAs('confirmed', {
      flight: { ticketNumber: 'F1' },
      hotel: { reservationNumber: 'H1' },
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe('/api/orders/7Q4M-9XKD-2VBN-H5TR');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      id: '7Q4M-9XKD-2VBN-H5TR',
      packageId: 1,
      package: { flight: 'Flight-1', stay: '2022-08-09', price: 100 },
      email: 'ana@example.com',
      status: 'confirmed',
      flight: { ticketNumber: 'F1' },
      hotel: { reservationNumber: 'H1' },
      createdAt: '2022-08-01T00:00:00.000Z',
      timeline: [{ at: '2022-08-01T00:00:00.000Z', event: 'queued' }],
    });
  });

  it.each([
    [undefined, undefined],
    ['*', undefined],
    ['en-GB, de;q=0.9', undefined],
    ['de-AT, en;q=0.5', 'de'],
    ['fr', undefined],
  ])('with Accept-Language %s gives the order the language %s', async (accepted, language) => {
    let bought: PurchaseRequest | undefined;
    const app = appWith({
      purchase: async (request) => {
        bought = request;
        return { kind: 'accepted', order: fakeOrder() };
      },
    });
    await post(app, '/api/orders', purchase, accepted === undefined ? {} : { 'Accept-Language': accepted });
    expect(bought).toMatchObject({ packageId: 1, email: 'ana@example.com' });
    expect(bought?.language).toBe(language);
  });

  it.each(['queued', 'held'] as const)('answers 202 with Location while the order is %s', async (status) => {
    const { answer, body } = await settledAs(status);
    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toBe('/api/orders/7Q4M-9XKD-2VBN-H5TR');
    expect(body.queuePosition).toBe(status === 'queued' ? 3 : undefined);
    expect(body.estimatedWait).toBe(status === 'queued' ? null : undefined);
  });

  it.each([
    ['failed', 502, 'supplier_failed'],
    ['compensating', 502, 'supplier_failed'],
    ['rejected', 409, 'sold_out'],
  ] as const)('answers a problem with the order when it ended as %s', async (status, http, code) => {
    const { answer, body } = await settledAs(status, { reason: 'flight_unavailable' });
    expect(answer.status).toBe(http);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(body).toMatchObject({ code, status: http, order: { id: '7Q4M-9XKD-2VBN-H5TR', status } });
  });

  it.each(['cancelled', 'withdrawn'] as const)(
    'answers 200 to a repeated purchase whose order is %s',
    async (status) => {
      expect((await settledAs(status)).answer.status).toBe(200);
    },
  );

  it.each([
    ['sold_out', 409],
    ['queue_full', 409],
    ['not_open', 409],
    ['sale_closed', 409],
    ['order_limit', 409],
    ['unknown_package', 404],
    ['key_reused', 422],
    ['overloaded', 503],
    ['no_owner', 503],
    ['paused', 503],
    ['store_unavailable', 503],
    ['internal', 500],
  ] as const)('answers the refusal %s with %i', async (code: ErrorCode, status) => {
    const app = appWith({ purchase: async () => ({ kind: 'refused', code }) });
    const answer = await post(app, '/api/orders', purchase);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ code, status, type: `/problems/${code}` });
    if (status === 503) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('answers not_open with the seconds until the sale opens', async () => {
    const app = appWith({
      purchase: async () => ({ kind: 'refused', code: 'not_open' }),
      package: async () => fakeSnapshot({ opensAt: fakeNow + 90_500 }),
    });
    expect((await post(app, '/api/orders', purchase)).headers.get('retry-after')).toBe('91');
  });

  it('answers 503 while the store is unavailable, and 500 without details after an unexpected error', async () => {
    const throwing = (error: Error) => appWith({ purchase: () => Promise.reject(error) });
    const away = await post(throwing(new StoreUnavailableError('disk gone')), '/api/orders', purchase);
    expect(away.status).toBe(503);
    const bug = await post(throwing(new Error('secret detail')), '/api/orders', purchase);
    expect(bug.status).toBe(500);
    expect(await bug.text()).not.toContain('secret');
  });

  it('passes the normalized email and the key to the engine', async () => {
    const bought = vi.fn(async () => ({ kind: 'accepted', order: fakeOrder() }) as const);
    const app = appWith({ purchase: bought });
    const body = { packageId: 7, email: '  Ana@Example.COM ', admin: true };
    await post(app, '/api/orders', body, { 'Idempotency-Key': '"k-1"' });
    expect(bought).toHaveBeenCalledWith({
      packageId: 7,
      email: 'ana@example.com',
      key: 'k-1',
      callerSignal: expect.any(Function),
    });
    await post(app, '/api/orders', body, { 'Content-Type': 'application/vnd.x+json; charset=utf-8' });
    expect(bought).toHaveBeenLastCalledWith(expect.not.objectContaining({ key: expect.anything() }));
  });

  it('tells the engine when the caller hangs up, also with respond-async', async () => {
    const gone = new AbortController();
    const outcome = vi.fn(async (order: Order) => order);
    const bought = async () => {
      gone.abort();
      return { kind: 'accepted', order: fakeOrder() } as const;
    };
    await appWith({ purchase: bought, outcome }).request('/api/orders', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Prefer: 'respond-async' },
      body: JSON.stringify(purchase),
      signal: gone.signal,
    });
    expect(outcome).toHaveBeenCalledOnce();
  });

  it.each([
    ['', 10_000, null],
    ['respond-async', undefined, 'respond-async'],
    ['wait=2', 2000, 'wait=2'],
    ['wait=100', 10_000, 'wait=10'],
    ['respond-async, wait=3', 3000, 'respond-async, wait=3'],
    ['wait=0', undefined, 'wait=0'],
    ['wait=abc, foo; bar', 10_000, null],
  ])('Prefer: %s waits %s ms', async (prefer, waited, applied) => {
    const outcome = vi.fn(async (order: Order) => order);
    const headers = prefer === '' ? {} : { Prefer: prefer };
    const answer = await post(appWith({ outcome }), '/api/orders', purchase, headers);
    expect(answer.status).toBe(202);
    expect(answer.headers.get('preference-applied')).toBe(applied);
    if (waited === undefined) expect(outcome).not.toHaveBeenCalled();
    else expect(outcome).toHaveBeenCalledWith(expect.anything(), expect.objectContaining({ waitMs: waited }));
  });

  it.each([
    ['no object', [], ''],
    ['no members', {}, 'packageId'],
    ['a package id that is text', { ...purchase, packageId: '1' }, 'packageId'],
    ['a package id of 0', { ...purchase, packageId: 0 }, 'packageId'],
    ['a broken package id', { ...purchase, packageId: 1.5 }, 'packageId'],
    ['a huge package id', { ...purchase, packageId: 1e300 }, 'packageId'],
    ['no email', { packageId: 1 }, 'email'],
    ['an email of another type', { packageId: 1, email: ['a@b.cd'] }, 'email'],
    ['a bad email', { packageId: 1, email: 'ana' }, 'email'],
    ['an email with a line break', { packageId: 1, email: 'a\n@b.cd' }, 'email'],
    ['an email with a Kelvin sign', { packageId: 1, email: '\u212aim@b.cd' }, 'email'],
    ['an overlong email', { packageId: 1, email: `${'a'.repeat(250)}@b.cd` }, 'email'],
    ['65 characters before the @', { packageId: 1, email: `${'a'.repeat(65)}@b.cd` }, 'email'],
    ['64 characters in the domain', { packageId: 1, email: `ana@${'b'.repeat(64)}.cd` }, 'email'],
  ])('answers 422 with the path of the invalid member: %s', async (_what, body, path) => {
    const bought = vi.fn();
    const answer = await post(appWith({ purchase: bought }), '/api/orders', body);
    expect(answer.status).toBe(422);
    const { code, errors } = (await answer.json()) as { code: string; errors: { path: string }[] };
    expect(code).toBe('invalid');
    expect(errors.map((error) => error.path)).toContain(path);
    expect(bought).not.toHaveBeenCalled();
  });

  it('gives the order the ASCII form of an internationalised domain, and counts all forms as one email', async () => {
    const bought: string[] = [];
    const counted: string[] = [];
    const purchaseOf = async ({ email }: PurchaseRequest) => {
      bought.push(email);
      return { kind: 'accepted', order: fakeOrder() } as const;
    };
    const email = { policy: {}, take: async (of: string) => ({ isAllowed: counted.push(of) > 0 }) };
    const limits = { email, purchase: undefined, lookUp: undefined } as unknown as HttpLimits;
    const services = { engine: fakeEngine({ purchase: purchaseOf }), clock, settings, limits };
    const app = new Hono()
      .route('/api/orders', orderRoutes(services))
      .route('/api/packages', packageOrderRoutes(services));
    for (const written of ['Ana@Bücher.example', 'ana@xn--bcher-kva.example']) {
      expect((await post(app, '/api/orders', { packageId: 1, email: written })).status).toBe(202);
      expect((await post(app, '/api/packages/1/orders', { email: written })).status).toBe(202);
    }
    expect(bought).toEqual(Array(4).fill('ana@xn--bcher-kva.example'));
    expect(counted).toEqual(bought);
  });

  it.each(['/api/orders', '/api/packages/1/orders'])(
    'says at %s what is too long in an email',
    async (path) => {
      const answer = await post(appWith(), path, { packageId: 1, email: `${'a'.repeat(65)}@example.com` });
      expect(answer.status).toBe(422);
      expect(await answer.json()).toMatchObject({
        errors: [{ path: 'email', message: 'must have at most 64 characters before the @' }],
      });
    },
  );

  it.each([
    ['empty', ''],
    ['nothing in quotes', '""'],
    ['a blank inside', 'a b'],
    ['two of them', 'a, b'],
    ['256 characters', 'k'.repeat(256)],
    ['not ASCII', 'kéy'],
  ])('answers 422 to an Idempotency-Key that is %s', async (_what, key) => {
    const answer = await post(appWith(), '/api/orders', purchase, { 'Idempotency-Key': key });
    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain('Idempotency-Key');
  });
});

describe('GET /api/orders/:id', () => {
  const read = async (id: string, query: string, app = appWith()) => {
    const answer = await app.request(`/api/orders/${encodeURIComponent(id)}${query}`);
    return { status: answer.status, body: await answer.text() };
  };

  it('Q10 shows an order to callers that know its id and email, in any notation', async () => {
    const found = await read('7q4m 9xkd-2vbnh5tr', '?email=ANA%40example.com');
    expect(found.status).toBe(200);
    expect(JSON.parse(found.body)).toMatchObject({ id: '7Q4M-9XKD-2VBN-H5TR', queuePosition: 3 });
  });

  it('shows the estimated wait at the position of a queued order', async () => {
    const asked: [number, number][] = [];
    const app = appWith({
      estimatedWait: (...at) => {
        asked.push(at);
        return { minSeconds: 60, maxSeconds: 180 };
      },
    });
    const { body } = await read('7Q4M-9XKD-2VBN-H5TR', '?email=ana%40example.com', app);
    expect(JSON.parse(body)).toMatchObject({ estimatedWait: { minSeconds: 60, maxSeconds: 180 } });
    expect(asked).toEqual([[1, 3]]);
    const unplaced = appWith({ queuePosition: () => undefined, estimatedWait: () => expect.fail() });
    const found = await read('7Q4M-9XKD-2VBN-H5TR', '?email=ana%40example.com', unplaced);
    expect(JSON.parse(found.body)).toMatchObject({ estimatedWait: null });
  });

  it('Q10 gives the same answer to every failed look-up, after one read of the store', async () => {
    const reads = vi.fn(async (id: string) => (id === fakeOrder().id ? fakeOrder() : undefined));
    const app = appWith({ order: reads });
    const misses = [
      await read('7Q4M-9XKD-2VBN-H5TR', '?email=eve%40example.com', app),
      await read('7Q4M-9XKD-2VBN-H5TS', '?email=ana%40example.com', app),
      await read('nonsense', '?email=ana%40example.com', app),
      await read('7Q4M-9XKD-2VBN-H5TR', '?email=', app),
      await read('7Q4M-9XKD-2VBN-H5TR', '?email=-', app),
      await read('%00', '?email=ana%40example.com', app),
    ];
    expect(misses[0]?.status).toBe(404);
    expect(new Set(misses.map((miss) => JSON.stringify(miss))).size).toBe(1);
    expect(reads).toHaveBeenCalledTimes(misses.length);
  });

  it('Q10 says where the order is watched live, to nobody who may not see it', async () => {
    const linkFor = async (email: string) =>
      (await appWith().request(`/api/orders/${fakeOrder().id}?email=${email}`)).headers.get('link');
    const link = /^<(?<address>[^>]+)>; rel="monitor"$/.exec((await linkFor('ana@example.com')) ?? '');
    const handshake = {
      method: 'GET',
      url: link?.groups?.address ?? '',
      headers: {
        host: 'localhost',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': `${'A'.repeat(22)}==`,
      },
    };
    const topic = { kind: 'order', orderId: fakeOrder().id, format: 'json' };
    expect(checkHandshake(handshake, settings)).toEqual(topic);
    expect(await linkFor('eve@example.com')).toBeNull();
  });

  it.each([
    ['whose domain has other letters', 'ana@xn--bcher-kva.example', 'Ana@bücher.example'],
    ['that an older release stored', `${'a'.repeat(65)}@example.com`, `${'A'.repeat(65)}@example.com`],
  ])('finds and cancels an order by an email %s', async (_what, email, written) => {
    const order = fakeOrder({ email });
    const app = appWith({
      order: async () => order,
      cancel: async () => ({ kind: 'accepted', order }),
      outcome: async () => ({ ...order, status: 'withdrawn' }),
    });
    const path = `/api/orders/${order.id}`;
    const found = await app.request(`${path}?email=${encodeURIComponent(written)}`);
    expect(await found.json()).toMatchObject({ email });
    expect((await post(app, `${path}/cancel`, { email: written })).status).toBe(200);
  });

  it('answers 422 without an email', async () => {
    expect((await read('7Q4M-9XKD-2VBN-H5TR', '')).status).toBe(422);
  });
});

describe('POST /api/orders/:id/cancel', () => {
  const path = '/api/orders/7Q4M-9XKD-2VBN-H5TR/cancel';
  const buyer = { email: 'ana@example.com' };

  it.each([
    ['cancelling', 202],
    ['cancelled', 200],
    ['withdrawn', 200],
  ] as const)('answers %s orders with %i', async (status, http) => {
    const app = appWith({ outcome: async (order) => ({ ...order, status }) });
    const answer = await post(app, path, buyer);
    expect(answer.status).toBe(http);
    expect(await answer.json()).toMatchObject({ status });
  });

  it.each(['in_progress', 'not_cancellable'] as const)(
    'answers the refusal %s with the order',
    async (code) => {
      const app = appWith({ cancel: async (order) => ({ kind: 'refused', code, order }) });
      const answer = await post(app, path, buyer);
      expect(answer.status).toBe(409);
      expect(await answer.json()).toMatchObject({ code, order: { id: '7Q4M-9XKD-2VBN-H5TR' } });
    },
  );

  it('Q10 does not cancel an order for a caller with another email', async () => {
    const cancelled = vi.fn();
    const app = appWith({ cancel: cancelled });
    expect((await post(app, path, { email: 'eve@example.com' })).status).toBe(404);
    expect((await post(app, '/api/orders/x/cancel', buyer)).status).toBe(404);
    expect((await post(app, path, {})).status).toBe(422);
    expect(cancelled).not.toHaveBeenCalled();
  });
});

it.each([
  ['GET', '/api/orders', 'POST, OPTIONS'],
  ['PUT', '/api/orders/7Q4M-9XKD-2VBN-H5TR', 'GET, HEAD, OPTIONS'],
  ['GET', '/api/orders/7Q4M-9XKD-2VBN-H5TR/cancel', 'POST, OPTIONS'],
])('answers 405 with Allow to %s %s', async (method, path, allow) => {
  const answer = await appWith().request(path, { method });
  expect(answer.status).toBe(405);
  expect(answer.headers.get('allow')).toBe(allow);
  expect((await appWith().request(path, { method: 'OPTIONS' })).status).toBe(204);
});
