import { afterAll, describe, expect, it } from 'vitest';
import { adminToken, type FakeAppOptions, fakeApp, suppliersToken } from '../../test/support/fake-app.ts';
import { fakeNow, fakeOrder, fakePackages, fakeSnapshot } from '../../test/support/fake-engine.ts';
import { expectMatchesOpenApi, operationAt } from '../../test/support/openapi-conformance.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { OrderReason, OrderStatus } from '../domain/order.ts';
import { StoreUnavailableError } from '../storage/store.ts';
import type { Refusal } from '../suppliers/suppliers.ts';
import { allOperations as operations } from './routes.ts';

/* Every answer matches the API's description, member by member, whatever the services return. */

interface Request {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

const purchase: Request = { path: '/api/orders', body: { packageId: 1, email: 'ana@example.com' } };
const purchaseOfPackage: Request = { path: '/api/packages/1/orders', body: { email: 'ana@example.com' } };
const order = `/api/orders/${fakeOrder().id}`;
const lookUp: Request = { path: `${order}?email=ana%40example.com` };
const cancel: Request = { path: `${order}/cancel`, body: { email: 'ana@example.com' } };
const reservations = '/api/suppliers/flights/reservations';
const hotelReservations = '/api/suppliers/hotels/reservations';
const flight: Request = {
  path: reservations,
  body: { packageId: 1, flight: 'Flight-1', email: 'ana@example.com' },
};
const hotel: Request = {
  path: hotelReservations,
  body: { packageId: 1, stay: '2022-08-09', email: 'ana@example.com', flightTicketNumber: 'F1' },
};
const trusted = { Authorization: `Bearer ${suppliersToken}` };
const operator = { Authorization: `Bearer ${adminToken}` };

/** The operations that the tests have called. Those of the operators have tests of their own. */
const asked = new Set<string>();
afterAll(() => {
  const all = operations.filter(({ tag }) => tag !== 'Admin').map(({ operationId }) => operationId);
  expect([...asked].toSorted()).toEqual(all.toSorted());
});

/** Sends a request to a new app, compares the answer with the description, and returns its status. */
async function answered(request: Request, inside: FakeAppOptions = {}): Promise<number> {
  const { path, body, headers = {} } = request;
  const method = request.method ?? (body === undefined ? 'GET' : 'POST');
  const response = await fakeApp(inside).request(path, {
    method,
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const operation = operationAt(method, path);
  if (operation === undefined) throw new Error(`${method} ${path} is not described`);
  asked.add(operation.operationId);
  await expectMatchesOpenApi(operation, response);
  return response.status;
}

const gone = () => Promise.reject(new StoreUnavailableError('gone'));
const broken = () => Promise.reject(new Error('a bug'));

describe('the description matches the answer', () => {
  const refusals = codesOf('createOrder').filter((code) => code !== 'supplier_failed');
  it.each(refusals)('to a purchase that is refused: %s', async (code) => {
    await answered(purchase, { engine: { purchase: async () => ({ kind: 'refused', code }) } });
    await answered(purchase, {
      engine: { purchase: async () => ({ kind: 'refused', code, order: fakeOrder() }) },
    });
  });

  it.each(codesOf('cancelOrder'))('to a cancel that is refused: %s', async (code) => {
    await answered(cancel, { engine: { cancel: async () => ({ kind: 'refused', code }) } });
  });

  const statuses: [OrderStatus, number][] = [
    ['queued', 202],
    ['held', 202],
    ['payable', 202],
    ['compensating', 502],
    ['confirmed', 201],
    ['cancelling', 202],
    ['failed', 502],
    ['rejected', 409],
    ['withdrawn', 200],
    ['cancelled', 200],
  ];
  it.each(statuses)('with an order that is %s', async (status, expected) => {
    const engine = {
      order: async () => ended,
      outcome: async () => ended,
    };
    const ended = fakeOrder({
      status,
      reason: 'supplier_silent',
      flight: { ticketNumber: 'F1' },
      hotel: { reservationNumber: 'H1' },
      payment: { amount: 10_000, currency: 'EUR', url: 'https://pay.example/1', payBy: fakeNow },
      timeline: [{ at: fakeNow, event: 'flight reserved', detail: 'F1' }],
    });
    expect(await answered(purchase, { engine })).toBe(expected);
    expect(await answered({ ...purchase, headers: { Prefer: 'wait=1, respond-async' } }, { engine })).toBe(
      expected,
    );
    expect(await answered(lookUp, { engine })).toBe(200);
  });

  it.each<[Request, number]>([
    [{ ...purchase, body: '' }, 422],
    [{ ...purchase, body: { packageId: 'x' } }, 422],
    [{ ...purchase, headers: { 'Content-Type': 'text/plain' } }, 415],
    [{ ...purchase, body: 'x'.repeat(20_000) }, 413],
    [{ ...purchase, headers: { 'Idempotency-Key': '' } }, 422],
    [purchaseOfPackage, 202],
    [{ ...purchaseOfPackage, path: '/api/packages/x/orders' }, 404],
    [{ ...purchaseOfPackage, body: { email: 'x' } }, 422],
    [{ path: order }, 422],
    [{ path: `${order}?email=eve%40example.com` }, 404],
    [{ ...cancel, body: { email: 'eve@example.com' } }, 404],
    [{ path: '/api/packages' }, 200],
    [{ path: '/api/packages/1' }, 200],
    [{ path: '/api/packages/x' }, 404],
    [flight, 201],
    [hotel, 201],
    [{ ...flight, headers: trusted }, 422],
    [{ ...flight, headers: { Authorization: 'Bearer another' } }, 401],
    [{ path: reservations }, 401],
    [{ path: reservations, headers: trusted }, 200],
    [{ path: `${reservations}?cursor=${'x'.repeat(300)}`, headers: trusted }, 422],
    [{ method: 'DELETE', path: `${reservations}/k` }, 401],
    [{ method: 'DELETE', path: `${reservations}/k`, headers: trusted }, 204],
    [{ method: 'DELETE', path: `${reservations}/k%20k`, headers: trusted }, 422],
    [{ path: hotelReservations, headers: trusted }, 200],
    [{ method: 'DELETE', path: `${hotelReservations}/k`, headers: trusted }, 204],
    [{ path: '/metrics' }, 401],
    [{ path: '/metrics', headers: operator }, 200],
    [{ path: '/healthz' }, 200],
    [{ path: '/readyz' }, 200],
    [{ path: '/openapi.json' }, 200],
    [{ path: '/asyncapi.json' }, 200],
  ])('to %j with status %i', async (request, status) => {
    expect(await answered(request)).toBe(status);
  });

  it.each<Refusal>(['flight_unavailable', 'hotel_unavailable', 'cancelled', 'invalid_ticket'])(
    'of a supplier that refuses: %s',
    async (code) => {
      const refuse = async () => ({ kind: 'refused', code }) as const;
      if (code !== 'hotel_unavailable' && code !== 'invalid_ticket')
        await answered(flight, { suppliers: { reserveFlight: refuse } });
      if (code !== 'flight_unavailable') await answered(hotel, { suppliers: { reserveHotel: refuse } });
    },
  );

  it('of an order that was not paid, or that its buyer has cancelled instead', async () => {
    const outcomes: [OrderReason, number][] = [
      ['payment_refused', 502],
      ['payment_declined', 402],
      ['payment_expired', 402],
      ['payment_abandoned', 200],
    ];
    for (const [reason, status] of outcomes) {
      const engine = { outcome: async () => fakeOrder({ status: 'failed', reason }) };
      expect(await answered(purchase, { engine })).toBe(status);
    }
  });

  it('to an event of the payment provider', async () => {
    const event: Request = { path: '/api/payments/events', body: { data: { key: fakeOrder().id } } };
    const accepted = async () => ({ kind: 'accepted', order: fakeOrder() }) as const;
    const payments = { verify: () => {}, lookUp: accepted };
    expect(await answered(event)).toBe(404);
    expect(await answered(event, { payments })).toBe(204);
    expect(await answered({ ...event, body: {} }, { payments })).toBe(422);
    expect(await answered({ ...event, headers: { 'Content-Type': 'text/plain' } }, { payments })).toBe(415);
    expect(await answered(event, { payments: { lookUp: accepted } })).toBe(403);
    const engine = { order: async () => fakeOrder({ status: 'payable' }) };
    for (const code of ['no_owner', 'overloaded', 'store_unavailable', 'unknown_order'] as const) {
      const lookUp = async () => ({ kind: 'refused', code }) as const;
      await answered(event, { engine, payments: { ...payments, lookUp } });
    }
  });

  it('with packages that have a sale window or are paused', async () => {
    const window = { opensAt: fakeNow, closesAt: fakeNow + 1, paused: true };
    const packages = [fakeSnapshot(), fakeSnapshot({ id: 2, ...window })];
    const engine = fakePackages(packages);
    expect(await answered({ path: '/api/packages' }, { engine })).toBe(200);
    expect(await answered({ path: '/api/packages?limit=1&flight=FLIGHT&cursor=1' }, { engine })).toBe(200);
  });

  it('with a ledger of several pages', async () => {
    const items = [{ key: 'k', number: 'F1', status: 'active' as const }];
    const ledger = async () => ({ items, next: 'k' });
    expect(await answered({ path: reservations, headers: trusted }, { suppliers: { ledger } })).toBe(200);
  });

  it.each([
    ['is out of reach', 503, gone],
    ['is broken', 500, broken],
  ])('when all services %s, with status %i', async (_what, status, fail) => {
    const inside: FakeAppOptions = {
      engine: { purchase: fail, order: fail, packages: fail, package: fail },
      suppliers: { reserveFlight: fail, reserveHotel: fail, ledger: fail, cancel: fail },
    };
    const requests: Request[] = [
      purchase,
      lookUp,
      cancel,
      { path: '/api/packages' },
      { path: '/api/packages/1' },
      flight,
      hotel,
      { path: reservations, headers: trusted },
      { method: 'DELETE', path: `${reservations}/k`, headers: trusted },
    ];
    for (const request of requests) expect(await answered(request, inside)).toBe(status);
  });

  it('of an instance that is not ready', async () => {
    const engine = { readinessProblems: async () => ['the store'] };
    expect(await answered({ path: '/readyz' }, { engine })).toBe(503);
  });
});

function codesOf(operationId: string): readonly ErrorCode[] {
  return operations.find((operation) => operation.operationId === operationId)?.problems ?? [];
}
