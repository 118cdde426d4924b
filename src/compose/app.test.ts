import { expect, it } from 'vitest';
import { fakeEngine, fakeNow, fakePackages, fakeSnapshot } from '../../test/support/fake-engine.ts';
import type { BookingEngine } from '../engine/engine.ts';
import { silentLog } from '../observability/log.ts';
import { localLiveBus } from '../realtime/live-bus.ts';
import { StoreUnavailableError } from '../storage/store.ts';
import type { SupplierClient } from '../suppliers/suppliers.ts';
import { createApp } from './app.ts';

const suppliers: SupplierClient = {
  reserveFlight: async () => ({ kind: 'reserved', number: 'F1' }),
  reserveHotel: async () => ({ kind: 'refused', code: 'invalid_ticket' }),
  cancel: async () => {},
  ledger: async () => ({ items: [] }),
};

function appWith(overrides: Partial<BookingEngine> = {}) {
  const { app } = createApp({
    engine: fakeEngine(overrides),
    liveBus: localLiveBus(),
    suppliers,
    clock: { now: () => fakeNow, monotonic: () => 0, sleep: async () => {} },
    random: { bytes: (count) => new Uint8Array(count), fraction: () => 0.5 },
    log: silentLog,
    settings: { instanceId: 'one', secret: 's'.repeat(32), currency: 'USD' },
  });
  return app;
}

async function problemOf(answer: Response) {
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  return (await answer.json()) as Record<string, unknown>;
}

it('the app lists packages with their inventory, and with a sale window if they have one', async () => {
  const windowed = fakeSnapshot({ id: 2, opensAt: fakeNow, paused: true });
  const app = appWith(fakePackages([fakeSnapshot(), windowed]));
  const answer = await app.request('/api/packages');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  const plain = {
    id: 1,
    flight: 'Flight-1',
    stay: '2022-08-09',
    price: 100,
    quota: 1,
    remaining: 1,
    held: 0,
    confirmed: 0,
    waiting: 0,
  };
  expect(await answer.json()).toEqual({
    packages: [plain, { ...plain, id: 2, opensAt: '2022-08-01T00:00:00.000Z', paused: true }],
  });
  expect(await (await appWith().request('/api/packages/1')).json()).toEqual(plain);
});

it('the app lists packages in pages, by a part of the flight', async () => {
  const many = Array.from({ length: 1_200 }, (_, index) =>
    fakeSnapshot({ id: index + 1, flight: index % 2 === 0 ? 'Even' : 'Odd' }),
  );
  const app = appWith(fakePackages(many));
  const read = async (query: string) =>
    (await (await app.request(`/api/packages${query}`)).json()) as {
      packages: { id: number }[];
      next?: string;
    };
  const first = await read('');
  expect([first.packages.length, first.next]).toEqual([1_000, '1000']);
  const last = await read(`?cursor=${first.next}`);
  expect([last.packages.length, last.packages[0]?.id, last.next]).toEqual([200, 1_001, undefined]);
  const odd = await read('?flight=ODD&limit=2&cursor=1198');
  expect([odd.packages.map(({ id }) => id), odd.next]).toEqual([[1_200], undefined]);
});

it.each([
  ...['limit=0', 'limit=1001', 'limit=1e2', 'limit=', 'limit=1&limit=2'],
  ...['cursor=0', 'cursor=x', 'cursor=', `flight=${'a'.repeat(101)}`, 'fligth=a', 'page=2'],
])('the app answers 422 to /api/packages?%s', async (query) => {
  const problem = await problemOf(await appWith().request(`/api/packages?${query}`));
  const path = query.split('=')[0] === 'fligth' || query.split('=')[0] === 'page' ? '' : query.split('=')[0];
  expect(problem).toMatchObject({ status: 422, code: 'invalid', errors: [{ path }] });
});

it.each(['/api/packages/2', '/api/packages/0', '/api/packages/1.0', '/api/packages/x', '/api/packages/1e0'])(
  'the app answers 404 unknown_package to %s',
  async (path) => {
    expect(await problemOf(await appWith().request(path))).toMatchObject({
      status: 404,
      code: 'unknown_package',
    });
  },
);

it.each(['/nothing', '/api/nothing', '/api', '/api/orders/a/b', '/api/orders/', '/%ff%00', '/order/../x'])(
  'the app answers the unknown route %s with 404 and a problem',
  async (path) => {
    const answer = await appWith().request(path);
    expect(await problemOf(answer)).toMatchObject({ status: 404, code: 'unknown_route' });
  },
);

it('the app shows browsers a page at an unknown URL, with the strict content security policy', async () => {
  const answer = await appWith().request('/nothing', { headers: { Accept: 'text/html,*/*' } });
  expect(answer.status).toBe(404);
  expect(answer.headers.get('content-type')).toContain('text/html');
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
});

it('the app serves the routes of all subjects', async () => {
  const app = appWith();
  expect((await app.request('/order')).headers.get('content-type')).toContain('text/html');
  expect((await app.request('/assets/htmx.min.js')).status).toBe(200);
  expect((await app.request('/live')).status).toBe(426);
  const flight = await app.request('/api/suppliers/flights/reservations', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"packageId":1,"flight":"Flight-1","email":"a@b.cd"}',
  });
  expect(flight.status).toBe(201);
});

it('/healthz always succeeds, and /readyz succeeds only if nothing prevents sales', async () => {
  expect((await appWith({ readinessProblems: async () => ['the store'] }).request('/healthz')).status).toBe(
    200,
  );
  expect((await appWith().request('/readyz')).status).toBe(200);
  const unready = await appWith({ readinessProblems: async () => ['the store'] }).request('/readyz');
  expect(unready.headers.get('retry-after')).toBe('1');
  expect(await problemOf(unready)).toMatchObject({ status: 503, detail: 'Missing: the store.' });
});

it('the app answers 503 while the store does not answer', async () => {
  const app = appWith({ packages: () => Promise.reject(new StoreUnavailableError('gone')) });
  const answer = await app.request('/api/packages');
  expect(answer.headers.get('retry-after')).toBe('2');
  expect(await problemOf(answer)).toMatchObject({ code: 'store_unavailable' });
});

it('the app answers HEAD like GET, but without a body', async () => {
  const answer = await appWith().request('/api/packages', { method: 'HEAD' });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toBe('');
});
