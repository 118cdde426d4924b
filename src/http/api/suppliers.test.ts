import { Hono } from 'hono';
import { beforeEach, describe, expect, it, test, vi } from 'vitest';
import { memoryLedger } from '../../../test/support/memory-ledger.ts';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { silentLog } from '../../observability/log.ts';
import { StoreUnavailableError } from '../../storage/store.ts';
import { simulatedSuppliers } from '../../suppliers/simulated-suppliers.ts';
import type { SupplierClient, SupplierLedger } from '../../suppliers/suppliers.ts';
import { onError, problem } from '../problem.ts';
import { type SupplierRoutesOptions, supplierRoutes } from './suppliers.ts';

const token = 'a token for tests';
const peer = { Authorization: `Bearer ${token}` };
const flight = { packageId: 1, flight: 'Flight-1', email: 'ana@example.com' };
const hotel = { packageId: 1, stay: '2022-08-09', email: 'ana@example.com' };
const flights = '/api/suppliers/flights/reservations';
const hotels = '/api/suppliers/hotels/reservations';

let ledger: SupplierLedger;
let app: Hono;

function open(
  options: SupplierRoutesOptions & {
    token?: string;
    publicSuppliers?: boolean;
    client?: Partial<SupplierClient>;
  } = {},
): Hono {
  const random = systemRandom();
  const rates = { flightFailureRate: 0, hotelFailureRate: 0, latencyMs: 0 };
  const simulation = simulatedSuppliers({ ledger, random, clock: systemClock, ...rates });
  const { publicSuppliers = true } = options;
  const settings = {
    publicSuppliers,
    ...(options.token === undefined ? {} : { suppliersToken: options.token }),
  };
  const suppliers = { ...simulation, ...options.client };
  const routes = supplierRoutes({ suppliers, random, settings }, options);
  const opened = new Hono().route('/api/suppliers', routes);
  opened.onError(onError(silentLog));
  opened.notFound((c) => problem(c, 'unknown_route'));
  return opened;
}

beforeEach(() => {
  ledger = memoryLedger();
  app = open({ token });
});

async function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const answer = await app.request(path, {
    method,
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    body: (text === '' ? undefined : JSON.parse(text)) as Record<string, unknown> | undefined,
  };
}

async function ticketFor(headers: Record<string, string>): Promise<string> {
  return (await send('POST', flights, flight, headers)).body?.ticketNumber as string;
}

describe('a caller with the token', () => {
  const headers = { ...peer, 'Idempotency-Key': 'A' };

  it('reserves under its own key, cancels and reads the ledger', async () => {
    const reserved = await send('POST', flights, flight, headers);
    expect(reserved.status).toBe(201);
    expect(reserved.headers.get('content-type')).toBe('application/json');
    const { ticketNumber } = reserved.body as { ticketNumber: string };
    const room = await send('POST', hotels, { ...hotel, flightTicketNumber: ticketNumber }, headers);
    expect(room).toMatchObject({ status: 201, body: { reservationNumber: expect.stringMatching(/^H/) } });
    expect(await send('GET', flights, undefined, peer)).toMatchObject({
      status: 200,
      body: { reservations: [{ key: 'A', number: ticketNumber, status: 'active' }] },
    });
    const cancelled = await send('DELETE', `${flights}/A`, undefined, peer);
    expect(cancelled).toMatchObject({ status: 204, body: undefined });
    expect(await send('POST', flights, flight, headers)).toMatchObject({
      status: 409,
      body: { code: 'cancelled' },
    });
  });

  it('must send a key', async () => {
    expect(await send('POST', flights, flight, peer)).toMatchObject({
      status: 422,
      body: { code: 'invalid', errors: [{ path: 'Idempotency-Key' }] },
    });
  });

  it('pages through the ledger', async () => {
    const client = { ledger: vi.fn(async () => ({ items: [], next: 'public:B' })) };
    app = open({ token, client });
    expect(await send('GET', `${hotels}?cursor=A%2FB`, undefined, peer)).toMatchObject({
      status: 200,
      body: { reservations: [], next: 'public:B' },
    });
    expect(client.ledger).toHaveBeenCalledWith('hotels', 'A/B');
    expect(await send('GET', `${hotels}?cursor=${'A'.repeat(300)}`, undefined, peer)).toMatchObject({
      status: 422,
    });
  });
});

describe('Q8 a public caller', () => {
  it('reserves under prefixed keys, so the keys of orders are never used', async () => {
    const own = await ticketFor({ ...peer, 'Idempotency-Key': 'A' });
    const theirs = await ticketFor({ 'Idempotency-Key': 'A' });
    expect(theirs).toMatch(/^F/);
    expect(theirs).not.toBe(own);
    expect((await ledger.page('flights', undefined, 10)).items.map(({ key }) => key)).toEqual([
      'A',
      'public:A',
    ]);
    expect(await ticketFor({ 'Idempotency-Key': 'A' })).toBe(theirs);
  });

  it('gets a new random key for each request without a key', async () => {
    const numbers = new Set([await ticketFor({}), await ticketFor({}), await ticketFor({})]);
    expect(numbers.size).toBe(3);
    for (const { key } of (await ledger.page('flights', undefined, 10)).items) {
      expect(key).toMatch(/^public:[\w-]{22}$/);
    }
  });

  it('can use a public flight ticket for a hotel, but not an order’s ticket', async () => {
    const own = await ticketFor({ ...peer, 'Idempotency-Key': 'A' });
    const refused = await send('POST', hotels, { ...hotel, flightTicketNumber: own });
    expect(refused).toMatchObject({ status: 422, body: { code: 'invalid_ticket' } });
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
    const flightTicketNumber = await ticketFor({});
    expect(await send('POST', hotels, { ...hotel, flightTicketNumber })).toMatchObject({ status: 201 });
  });

  it.each([
    ['DELETE', `${flights}/A`],
    ['DELETE', `${hotels}/public:A`],
    ['GET', flights],
    ['GET', hotels],
  ])('may not %s %s', async (method, path) => {
    for (const opened of [open({ token }), open()]) {
      app = opened;
      const answer = await send(method, path);
      expect(answer).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  it('gets 401 with a wrong token, and nothing is reserved', async () => {
    for (const given of ['wrong', '', `${token}x`, token.toUpperCase()]) {
      const headers = { Authorization: `Bearer ${given}`, 'Idempotency-Key': 'A' };
      expect(await send('POST', flights, flight, headers)).toMatchObject({ status: 401 });
      expect(await send('DELETE', `${flights}/A`, undefined, headers)).toMatchObject({ status: 401 });
    }
    app = open();
    expect(await send('POST', flights, flight, peer)).toMatchObject({ status: 401 });
    expect((await ledger.page('flights', undefined, 10)).items).toEqual([]);
  });

  it('may send credentials of another scheme', async () => {
    expect(await send('POST', flights, flight, { Authorization: 'Basic YTpi' })).toMatchObject({
      status: 201,
    });
  });
});

it('trusts every caller when the option trust is everyone', async () => {
  app = open({ trust: 'everyone' });
  await ticketFor({ 'Idempotency-Key': 'A' });
  expect(await send('GET', flights)).toMatchObject({ body: { reservations: [{ key: 'A' }] } });
  expect(await send('DELETE', `${flights}/A`)).toMatchObject({ status: 204 });
  expect(await send('POST', flights, flight)).toMatchObject({ status: 422 });
});

test('Q8 where the public may not reserve, only callers with the token do', async () => {
  app = open({ token, publicSuppliers: false });
  const refused = {
    status: 401,
    body: { code: 'unauthorized', detail: expect.stringMatching('PUBLIC_SUPPLIERS') },
  };
  expect(await send('POST', flights, flight)).toMatchObject(refused);
  expect(await send('POST', hotels, { ...hotel, flightTicketNumber: 'F1' })).toMatchObject(refused);
  expect((await ledger.page('flights', undefined, 9)).items).toEqual([]);
  const reserved = await send('POST', flights, flight, { ...peer, 'Idempotency-Key': 'A' });
  expect(reserved.status).toBe(201);
});

describe('invalid input gets a problem and reserves nothing', () => {
  it.each([
    ['no JSON', '{', 422],
    ['an array', [], 422],
    ['nothing in it', {}, 422],
    ['a package that is no number', { ...flight, packageId: '1' }, 422],
    ['a package below 1', { ...flight, packageId: 0 }, 422],
    ['no flight', { ...flight, flight: ' ' }, 422],
    ['a flight that is no text', { ...flight, flight: 1 }, 422],
    ['a long flight', { ...flight, flight: 'F'.repeat(101) }, 422],
    ['no email', { ...flight, email: 'ana' }, 422],
    ['a member that nobody knows', { ...flight, seats: 2 }, 422],
    ['__proto__', '{"packageId":1,"flight":"Flight-1","email":"ana@example.com","__proto__":{}}', 422],
    ['a member twice', '{"packageId":1,"packageId":2,"flight":"Flight-1","email":"ana@example.com"}', 422],
    ['deep nesting', `${'['.repeat(5000)}${']'.repeat(5000)}`, 422],
    ['too much', { ...flight, flight: 'F'.repeat(20_000) }, 413],
  ])('a body with %s', async (_name, body, status) => {
    const answer = await send('POST', flights, body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect((await ledger.page('flights', undefined, 10)).items).toEqual([]);
  });

  it('a body with another media type than JSON', async () => {
    const headers = { 'Content-Type': 'text/plain' };
    expect(await send('POST', flights, JSON.stringify(flight), headers)).toMatchObject({ status: 415 });
  });

  it.each([undefined, null, 17, '', {}, 'F'.repeat(101)])(
    'a hotel reservation with the invalid ticket %j',
    async (flightTicketNumber) => {
      expect(await send('POST', hotels, { ...hotel, flightTicketNumber })).toMatchObject({
        status: 422,
        body: { code: 'invalid', errors: [{ path: 'flightTicketNumber' }] },
      });
    },
  );

  it('a hotel reservation with an unknown ticket', async () => {
    expect(await send('POST', hotels, { ...hotel, flightTicketNumber: 'F0' })).toMatchObject({
      status: 422,
      body: { code: 'invalid_ticket' },
    });
  });

  it.each(['', 'a b', 'ä', 'A'.repeat(256)])('a reservation with the invalid key %j', async (key) => {
    for (const headers of [peer, {}]) {
      expect(await send('POST', flights, flight, { ...headers, 'Idempotency-Key': key })).toMatchObject({
        status: 422,
      });
    }
  });

  it.each(['%20', '%00', '%C3%A4', 'A'.repeat(300)])(
    'a cancellation with the invalid key %s in the path',
    async (key) => {
      expect(await send('DELETE', `${flights}/${key}`, undefined, peer)).toMatchObject({ status: 422 });
    },
  );

  it.each([
    ['PUT', flights, 405],
    ['DELETE', flights, 405],
    ['POST', `${flights}/A`, 405],
    ['GET', '/api/suppliers/trains/reservations', 404],
    ['GET', '/api/suppliers', 404],
    ['DELETE', `${flights}/A/B`, 404],
  ])('answers a route that does not exist: %s %s with %i', async (method, path, status) => {
    expect(await send(method, path, undefined, peer)).toMatchObject({ status });
  });
});

it('answers 503 when the ledger is unavailable, because callers treat 503 as an unknown outcome', async () => {
  const fail = async () => {
    throw new StoreUnavailableError('the disk is full');
  };
  app = open({ token, client: { reserveFlight: fail, cancel: fail } });
  expect(await send('POST', flights, flight)).toMatchObject({
    status: 503,
    body: { code: 'store_unavailable' },
  });
  expect(await send('DELETE', `${flights}/A`, undefined, peer)).toMatchObject({ status: 503 });
});
