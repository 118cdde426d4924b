import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openSqliteStore } from '../../src/storage/sqlite/sqlite-store.ts';
import { supplierKinds } from '../../src/suppliers/suppliers.ts';
import { sampleInventory, sampleOrder } from '../contract/samples.ts';
import { logInAsOperator } from '../support/api-client.ts';
import { makeDatabase, onSale, startServer, type TestDatabase, type TestServer } from '../support/server.ts';

/* Exports of a store with many orders, by an operator who may only read. */

const token = 'the-token-of-ben-0123456789';
const headers = { authorization: `Bearer ${token}` };
/** So many that no buffer between server and client takes the reconciliation. */
const ordersCount = 40_000;
/** The greatest number that a supplier may give. */
const long = (kind: string, number: number) => `${kind}-${String(number).padStart(63 - kind.length, '0')}`;
const formula = '=HYPERLINK("http://evil.example","x")';
const madeAt = Date.UTC(2030, 0, 1);

let database: TestDatabase;
let server: TestServer;

beforeAll(async () => {
  database = await makeDatabase([onSale({ quota: ordersCount }), onSale({ id: 2, quota: 5 })]);
  await fill(database.url.replace('sqlite:', ''));
  server = await startServer({
    settings: { DATABASE_URL: database.url, ADMIN_TOKENS: `ben:${token}:read`, CURRENCY: 'EUR' },
  });
});
afterAll(async () => {
  await server?.stop();
  await database?.delete();
});

/** Stores confirmed orders, a minute apart, with their reservations. */
async function fill(file: string): Promise<void> {
  const store = openSqliteStore({ file });
  const atOnce = 2_000;
  for (let first = 1; first <= ordersCount; first += atOnce) {
    const numbers = Array.from({ length: atOnce }, (_, index) => first + index);
    const confirmed = first + atOnce - 1;
    const inventory = sampleInventory({
      remaining: ordersCount - confirmed,
      confirmed,
      nextNumber: confirmed + 1,
    });
    const inserted = numbers.map((number) =>
      sampleOrder(number, {
        status: 'confirmed',
        flight: { ticketNumber: long('flights', number) },
        hotel: { reservationNumber: long('hotels', number) },
        ...(number === 1 ? { package: { flight: formula, stay: '2030-02-01', price: 100 } } : {}),
        createdAt: madeAt + number * 60_000,
        timeline: [{ at: madeAt + number * 60_000, event: 'confirmed' }],
      }),
    );
    const { fence } = (await store.versionedPackage(1))!;
    await store.commit(1, fence, { inventory, inserted, updated: [] });
    const entries = supplierKinds.flatMap((kind) => inserted.map(({ id, number }) => ({ kind, id, number })));
    await Promise.all(
      entries.map(({ kind, id, number }) => {
        const booked = { number: long(kind, number), status: 'active' } as const;
        return store.ledger.record(kind, { ...booked, key: id, subject: 'x', packageId: 1 });
      }),
    );
  }
  // One flight was cancelled behind our back.
  await store.ledger.cancel('flights', 'ORDER-1-7');
  await store.close();
}

const path = '/api/admin/orders.csv';

async function linesOf(query: string): Promise<string[]> {
  const answer = await fetch(`${server.origin}${path}${query}`, { headers });
  expect(answer.status).toBe(200);
  return (await answer.text()).split('\r\n');
}

/** Begins the reconciliation. Nothing of it is read before somebody listens. */
function reconcile(): Promise<IncomingMessage> {
  const address = `${server.origin}/api/admin/reconciliation.csv`;
  return new Promise((resolve, reject) => {
    const request = get(address, { headers, agent: false }, resolve);
    request.once('error', reject);
  });
}

function disconnect(answer: IncomingMessage): void {
  answer.on('error', () => undefined);
  answer.destroy();
}

/** The status of another reconciliation, which is left at once. */
async function statusOfAnother(): Promise<number | undefined> {
  const answer = await reconcile();
  disconnect(answer);
  return answer.statusCode;
}

describe('orders.csv', () => {
  test('has every order once, in sequence, safe from formula injection', async () => {
    const lines = await linesOf('');
    expect(lines).toHaveLength(ordersCount + 2);
    expect(lines[0]).toBe(
      'id,packageId,number,flight,stay,price,currency,email,status,reason,ticketNumber,reservationNumber,' +
        'createdAt,since,confirmedAt,amount,amountCurrency,payBy,paidAt,paymentCancelledAt',
    );
    const cell = '"\'=HYPERLINK(""http://evil.example"",""x"")"';
    const at = '2030-01-01T00:01:00.000Z';
    const numbers = `${long('flights', 1)},${long('hotels', 1)}`;
    expect(lines[1]).toBe(
      `ORDER-1-1,1,1,${cell},2030-02-01,100,EUR,buyer1@example.com,confirmed,,${numbers},${at},${at},${at},,,,,`,
    );
    expect(lines.slice(1, -1).every((line, index) => line.startsWith(`ORDER-1-${index + 1},1,`))).toBe(true);
    expect(lines.at(-1)).toBe('');
  });

  test('has only the orders that the query asks for', async () => {
    const minute = (number: number) => new Date(madeAt + number * 60_000).toISOString();
    const some = await linesOf(`?package=1&status=confirmed&from=${minute(39_998)}&to=${minute(40_000)}`);
    const ids = some.slice(1, -1).map((line) => line.split(',', 1)[0]);
    expect(ids).toEqual(['ORDER-1-39998', 'ORDER-1-39999']);
    expect(await linesOf('?to=2030-01-01')).toHaveLength(2);
    expect(await linesOf('?package=2')).toHaveLength(2);
    expect(await linesOf('?status=failed')).toHaveLength(2);
    const wrong = await fetch(`${server.origin}${path}?from=now`, { headers });
    expect([wrong.status, await wrong.json()]).toMatchObject([422, { errors: [{ path: 'from' }] }]);
  });

  test('is sent to a session in /admin too, and to nobody else', async () => {
    const cookie = await logInAsOperator(server.origin, token);
    for (const address of ['/admin/export/orders.csv?package=2&status=&from=&to=', `${path}?package=2`]) {
      const answer = await fetch(server.origin + address, { headers: { cookie } });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8']);
      expect(await answer.text()).toMatch(/^id,packageId,.*\r\n$/);
      expect((await fetch(server.origin + address)).status).toBe(401);
    }
  });

  test('is not made for HEAD', async () => {
    const answer = await fetch(`${server.origin}${path}`, { method: 'HEAD', headers });
    expect([answer.status, answer.headers.get('content-disposition')]).toEqual([
      200,
      'attachment; filename="orders.csv"',
    ]);
  });
});

describe('reconciliation.csv', () => {
  test('names the differences first, waits for a slow reader, and misses nothing', async () => {
    const answer = await reconcile();
    expect(answer.statusCode).toBe(200);
    // Nobody reads. Meanwhile whole exports are made, and this one does not end.
    for (let each = 0; each < 2; each++) {
      await linesOf('');
      expect(await statusOfAnother()).toBe(409);
    }
    const lines = (await text(answer)).split('\r\n');
    expect(lines[0]).toBe('result,ledger,orderId,packageId,number,status,inOrder,inLedger');
    expect(lines[1]).toBe(`missing,flights,ORDER-1-7,1,7,confirmed,${long('flights', 7)},`);
    const [flight, hotel] = [long('flights', 1), long('hotels', 1)];
    expect(lines[2]).toBe(`matched,flights,ORDER-1-1,1,1,confirmed,${flight},${flight}`);
    expect(lines[3]).toBe(`matched,hotels,ORDER-1-1,1,1,confirmed,${hotel},${hotel}`);
    expect(lines).toHaveLength(2 * ordersCount + 2);
  });

  test('ends when its reader disconnects', async () => {
    const answer = await reconcile();
    await new Promise((resolve) => answer.once('data', resolve));
    disconnect(answer);
    await vi.waitFor(async () => expect(await statusOfAnother()).toBe(200));
    await vi.waitFor(async () => expect(await statusOfAnother()).toBe(200));
  });
});
