import { Hono } from 'hono';
import { expect, it, vi } from 'vitest';
import { fakeEngine, fakeNow, fakeOrder } from '../../test/support/fake-engine.ts';
import type { BookingEngine } from '../engine/engine.ts';
import { silentLog } from '../observability/log.ts';
import { orderRoutes } from './api/orders.ts';
import type { AppServices } from './app-services.ts';
import { pageRoutes } from './pages/routes.ts';
import { onError } from './problem.ts';

function appThatAdmits(admits: boolean) {
  const purchase = vi.fn<BookingEngine['purchase']>(async () => ({ kind: 'accepted', order: fakeOrder() }));
  const deps = {
    engine: fakeEngine({ purchase }),
    clock: { now: () => fakeNow, sleep: async () => {} },
    random: { bytes: (count: number) => new Uint8Array(count), fraction: () => 0 },
    log: silentLog,
    settings: { instanceId: 'a', secret: 's'.repeat(32), currency: 'USD' },
    admission: { admits: () => admits },
  } as unknown as AppServices;
  const app = new Hono().route('/api/orders', orderRoutes(deps));
  app.route(
    '/',
    pageRoutes(deps, (name) => name),
  );
  app.onError(onError(silentLog));
  return { app, purchase };
}

/** A body that must not be read. */
const unread = () =>
  new ReadableStream({
    pull() {
      throw new Error('the body was read');
    },
  });

it('refuses purchases before reading them while the server is overloaded, and serves everything else', async () => {
  const { app, purchase } = appThatAdmits(false);
  const headers = { 'Content-Type': 'application/json' };
  const init: RequestInit = { method: 'POST', body: unread(), duplex: 'half', headers };
  const refused = await app.request('/api/orders', init);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await refused.json()).toMatchObject({ code: 'overloaded' });
  for (const path of ['/order', '/order-queue']) {
    const page = await app.request(path, { method: 'POST', body: new URLSearchParams({ packageId: '1' }) });
    expect([page.status, page.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await page.text()).toContain(
      'So many people are ordering right now that we could not take your order.',
    );
  }
  expect(purchase).not.toHaveBeenCalled();
  expect((await app.request('/order')).status).toBe(200);
  expect((await app.request(`/api/orders/${fakeOrder().id}?email=ana@example.com`)).status).toBe(200);
  expect((await app.request(`/api/orders/${fakeOrder().id}/cancel`, { method: 'POST' })).status).toBe(415);
});

it('accepts purchases while the server is not overloaded', async () => {
  const { app, purchase } = appThatAdmits(true);
  const body = JSON.stringify({ packageId: 1, email: 'ana@example.com' });
  await app.request('/api/orders', { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
  expect(purchase).toHaveBeenCalledOnce();
});
