import { once } from 'node:events';
import { createServer as createNodeServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { Hono } from 'hono';
import { afterEach, describe, expect, test } from 'vitest';
import { supplierClientContract } from '../../test/contract/suppliers.ts';
import {
  type SupplierFault,
  startFaultySupplier,
  supplierFaults,
} from '../../test/support/faulty-supplier.ts';
import { memoryLedger } from '../../test/support/memory-ledger.ts';
import { supplierRoutes } from '../http/api/suppliers.ts';
import { onError, problem } from '../http/problem.ts';
import { createServer } from '../http/server/server.ts';
import { Abort } from '../lib/abort.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { silentLog } from '../observability/log.ts';
import { httpSuppliers } from './http-suppliers.ts';
import { simulatedSuppliers } from './simulated-suppliers.ts';

const token = 'a token for tests';
const flight = { key: 'A', packageId: 1, flight: 'Flight-1', email: 'ana@example.com' };
const hotel = {
  key: 'A',
  packageId: 1,
  stay: '2022-08-09',
  email: 'ana@example.com',
  flightTicketNumber: 'F1',
};

supplierClientContract('HTTP, our routes and the simulation', async (behaviour) => {
  const random = systemRandom();
  const suppliers = simulatedSuppliers({ ...behaviour, ledger: memoryLedger(), random, clock: systemClock });
  const app = new Hono().route(
    '/api/suppliers',
    supplierRoutes({ suppliers, random, settings: { suppliersToken: token } }),
  );
  app.onError(onError(silentLog));
  app.notFound((c) => problem(c, 'unknown_route'));
  const server = createServer(app, silentLog).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { client: httpSuppliers({ url: `http://127.0.0.1:${port}/api/suppliers`, token }), close };
});

let stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops) await stop();
  stops = [];
});

async function clientOf(fault: SupplierFault) {
  const supplier = await startFaultySupplier({
    fault: ({ operation }) => (operation === 'ledger' ? undefined : fault),
  });
  stops.push(supplier.stop);
  return { client: httpSuppliers({ url: supplier.url }), supplier };
}

/** A client of a server that gives every request the same answer. */
async function clientOfServer(listener: RequestListener) {
  const server = createNodeServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  return httpSuppliers({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
}

function clientOfAnswer(status: number, body: unknown, type = 'application/json') {
  return clientOfServer((_request, response) => {
    response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
  });
}

describe('Q8 an answer outside the protocol is an unknown outcome, and the error says why', () => {
  test.each([
    ['a 500', supplierFaults.error500, /status 500/],
    ['a 500 after the work', supplierFaults.doneBut500, /status 500/],
    ['a cut body', supplierFaults.cutMidBody, /terminated/],
    ['broken JSON', supplierFaults.garbage, /status 201 with a body that is not JSON/],
    ['HTML', supplierFaults.wrongContentType, /status 201 with the content type text\/html/],
    ['a 201 without a number', supplierFaults.withoutNumber, /outside the protocol, status 201/],
    ['a body without end', supplierFaults.oversized, /body of more than 65536 bytes/],
  ] as const)('%s', async (_name, fault, message) => {
    const { client } = await clientOf(fault);
    await expect(client.reserveFlight(flight)).rejects.toThrow(message);
  });

  test.each([
    [200, { ticketNumber: 'F1' }],
    [201, { ticketNumber: 17 }],
    [201, { ticketNumber: '' }],
    [201, { ticketNumber: 'F 1\n' }],
    [201, { ticketNumber: 'F'.repeat(65) }],
    [201, { reservationNumber: 'H1' }],
    [201, ['F1']],
    [201, null],
    [202, { ticketNumber: 'F1' }],
    [400, { code: 'flight_unavailable' }],
    [401, { code: 'unauthorized' }],
    [404, { code: 'unknown_route' }],
    [409, { code: 'in_progress' }],
    [409, { code: 'hotel_unavailable' }],
    [409, { code: 'invalid_ticket' }],
    [409, {}],
    [409, 'flight_unavailable'],
    [422, { code: 'invalid' }],
    [422, { code: 'flight_unavailable' }],
    [429, { code: 'rate_limited' }],
    [503, { code: 'store_unavailable' }],
  ])('status %d %j to a flight', async (status, body) => {
    const client = await clientOfAnswer(status, body);
    await expect(client.reserveFlight(flight)).rejects.toThrow(`status ${status}`);
  });

  test.each([
    [409, { code: 'flight_unavailable' }],
    [422, { code: 'hotel_unavailable' }],
    [409, { code: 'invalid_ticket' }],
  ])('status %d with %j to a hotel reservation', async (status, body) => {
    const client = await clientOfAnswer(status, body);
    await expect(client.reserveHotel(hotel)).rejects.toThrow(`status ${status}`);
  });

  test('a redirect is not followed', async () => {
    const asked: (string | undefined)[] = [];
    const client = await clientOfServer((request, response) => {
      asked.push(request.url);
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    await expect(client.reserveFlight(flight)).rejects.toThrow(/redirect/);
    expect(asked).toEqual(['/flights/reservations']);
  });

  test('a connection that is refused, or closed before the answer', async () => {
    const server = createTcpServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = httpSuppliers({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    await expect(client.reserveFlight(flight)).rejects.toThrow(/POST flights: fetch failed \(\S+\)/);
    server.close();
    await once(server, 'close');
    await expect(client.reserveFlight(flight)).rejects.toThrow('POST flights: fetch failed (ECONNREFUSED)');
  });

  test('a cancel with another status than 204', async () => {
    for (const status of [200, 404, 500]) {
      const client = await clientOfAnswer(status, {});
      await expect(client.cancel('flights', 'A')).rejects.toThrow(`status ${status}`);
    }
    const { client } = await clientOf(supplierFaults.cutMidBody);
    await expect(client.cancel('flights', 'A')).rejects.toThrow('DELETE flights');
  });

  test('a ledger page with another shape', async () => {
    for (const body of [{}, { reservations: [{ key: 'A' }] }, { reservations: [], next: 1 }, []]) {
      const client = await clientOfAnswer(200, body);
      await expect(client.ledger('flights')).rejects.toThrow('status 200');
    }
  });
});

test('additional fields in an answer are ignored, and any JSON content type is accepted', async () => {
  const reserved = await clientOfAnswer(
    201,
    { ticketNumber: 'F1', seat: '12A' },
    'application/json; charset=utf-8',
  );
  expect(await reserved.reserveFlight(flight)).toEqual({ kind: 'reserved', number: 'F1' });
  const refused = await clientOfAnswer(409, { code: 'cancelled', at: 1 }, 'application/problem+json');
  expect(await refused.reserveHotel(hotel)).toEqual({ kind: 'refused', code: 'cancelled' });
});

test('a hanging call ends when its signal aborts', async () => {
  const { client, supplier } = await clientOf(supplierFaults.hang);
  const caller = new Abort();
  const call = client.reserveFlight(flight, caller);
  await expect.poll(() => supplier.calls.length).toBe(1);
  caller.abort();
  await expect(call).rejects.toThrow();
});

test('the email is sent in the body only, and no error message has the email or the token', async () => {
  let seen = '';
  const client = await clientOfServer((request, response) => {
    seen = `${request.url} ${JSON.stringify(request.headers)}`;
    response.writeHead(422, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ code: 'invalid', detail: flight.email }));
  });
  const failure = await client.reserveFlight(flight).catch(String);
  expect(seen).not.toContain('ana');
  expect(failure).not.toContain('ana');
});

test('sends the token as a bearer token, and reuses connections', async () => {
  const ports = new Set<number | undefined>();
  const headers: unknown[] = [];
  const server = createNodeServer((request, response) => {
    ports.add(request.socket.remotePort);
    headers.push(request.headers.authorization);
    response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(async () => void server.close().closeAllConnections());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = httpSuppliers({ url, token });
  for (let call = 0; call < 10; call++) await client.cancel('flights', 'A');
  // Two connections may be needed, because undici opens another connection while it still reads the end of an answer.
  expect(ports.size).toBeLessThanOrEqual(2);
  expect(headers).toEqual(Array(10).fill(`Bearer ${token}`));
});

test('an invalid URL is refused at once', () => {
  expect(() => httpSuppliers({ url: 'not a url' })).toThrow(TypeError);
});
