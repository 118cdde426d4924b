import { afterEach, describe, expect, test, vi } from 'vitest';
import { TicketClient } from '../../clients/typescript/src/index.ts';
import { type ApiReply, buy } from '../support/api-client.ts';
import { auditHere } from '../support/audit.ts';
import {
  type FaultySupplier,
  type FaultySupplierOptions,
  type SupplierCall,
  type SupplierFault,
  startFaultySupplier,
  supplierFaults,
} from '../support/faulty-supplier.ts';
import { makeDatabase, onSale, startServer, type TestDatabase, type TestServer } from '../support/server.ts';

const token = 'a-token-for-tests';
const timeoutMs = 150;

let supplier: FaultySupplier;
let database: TestDatabase;
let server: TestServer;
let settings: Record<string, string>;

async function open(
  quota: number,
  fault: NonNullable<FaultySupplierOptions['fault']>,
  supplierTimeoutMs = timeoutMs,
): Promise<void> {
  supplier = await startFaultySupplier({ fault, token });
  database = await makeDatabase([onSale({ quota })]);
  settings = {
    DATABASE_URL: database.url,
    SUPPLIERS_URL: supplier.url,
    SUPPLIERS_TOKEN: token,
    SUPPLIER_TIMEOUT_MS: String(supplierTimeoutMs),
  };
  server = await startServer({ settings });
}

afterEach(async () => {
  await server.stop();
  await supplier.stop();
  await database.delete();
});

const email = (buyer: number) => `buyer-${buyer}@example.com`;
const purchase = (buyer: number) =>
  buy(server.origin, 1, { email: email(buyer), key: `key-${buyer}`, prefer: 'wait=30' });

async function expectCleanAudit(): Promise<void> {
  const report = await auditHere(settings);
  expect(report.findings).toEqual([]);
  expect(report.suppliersRead).toBe(true);
}

/** Follows an order to its final status. */
async function endOf({ order }: ApiReply): Promise<string> {
  const { id = '', email: buyer = '' } = order ?? {};
  return (await new TicketClient(server.origin).waitForOutcome({ id, email: buyer })).status;
}

const outcomeOf = ({ status, code, order }: ApiReply) => ({ status, code, reason: order?.reason });

/** Each fault hits the first calls of one order. */
describe('Q8 one order', () => {
  const first =
    (kind: SupplierCall['kind'], fault: SupplierFault, times = 1) =>
    (call: SupplierCall) =>
      call.kind === kind && call.operation === 'reserve' && call.nth <= times ? fault : undefined;
  const confirmed = { status: 201, code: undefined, reason: undefined };
  const failed = (reason: string) => ({ status: 502, code: 'supplier_failed', reason });
  const always = Number.POSITIVE_INFINITY;

  test.each([
    ['a flight that hangs once', first('flights', supplierFaults.hang), confirmed],
    ['a flight booked in silence', first('flights', supplierFaults.doneWithoutReply), confirmed],
    ['a flight that answers 500', first('flights', supplierFaults.error500, 3), confirmed],
    ['a flight booked with a 500', first('flights', supplierFaults.doneBut500), confirmed],
    ['a connection cut in mid-body', first('flights', supplierFaults.cutMidBody, 2), confirmed],
    ['an answer after the time-out', first('flights', supplierFaults.answerLate(timeoutMs * 2)), confirmed],
    ['an answer that is no JSON', first('hotels', supplierFaults.garbage), confirmed],
    ['a hotel that hangs once', first('hotels', supplierFaults.hang), confirmed],
    ['a hotel cut in mid-body', first('hotels', supplierFaults.cutMidBody, 2), confirmed],
    ['a refused flight', first('flights', supplierFaults.refuse, always), failed('flight_unavailable')],
    ['a refused hotel', first('hotels', supplierFaults.refuse, always), failed('hotel_unavailable')],
    [
      'a flight that never answers',
      first('flights', supplierFaults.doneWithoutReply, always),
      failed('supplier_silent'),
    ],
    [
      'a hotel that never answers',
      first('hotels', supplierFaults.doneWithoutReply, always),
      failed('supplier_silent'),
    ],
  ])('ends as expected after %s', async (_, fault, expected) => {
    await open(1, fault);
    const reply = await purchase(1);
    expect(outcomeOf(reply)).toEqual(expected);
    const { flights, hotels } = await supplier.ledger();
    const active = [...flights, ...hotels].filter(({ status }) => status === 'active');
    expect(active.map(({ key }) => key)).toEqual(
      expected === confirmed ? [reply.order?.id, reply.order?.id] : [],
    );
    await expectCleanAudit();
  });

  test('a cancel that fails ten times is repeated until it succeeds; the unit returns afterwards', async () => {
    await open(1, (call) => {
      if (call.operation === 'cancel' && call.nth <= 10)
        return call.nth % 2 === 0 ? supplierFaults.error500 : supplierFaults.cutMidBody;
      return call.kind === 'hotels' ? supplierFaults.refuse : undefined;
    });
    const reply = await buy(server.origin, 1, { email: email(1), key: 'key-1', prefer: 'wait=1' });
    expect(reply).toMatchObject({ status: 502, order: { status: 'compensating' } });
    const held = await (await fetch(`${server.origin}/api/packages/1`)).json();
    expect(held).toMatchObject({ remaining: 0, held: 1 });
    await expectCleanAudit();
    expect(await endOf(reply)).toBe('failed');
    const { flights } = await supplier.ledger();
    expect(flights).toMatchObject([{ status: 'cancelled' }]);
    expect(await (await fetch(`${server.origin}/api/packages/1`)).json()).toMatchObject({
      remaining: 1,
      held: 0,
    });
    await expectCleanAudit();
  }, 90_000);

  test.each([
    ['is booked in silence', supplierFaults.doneWithoutReply],
    ['is booked and cut off', supplierFaults.cutMidBody],
  ])('a flight that %s, and is refused at the second attempt, is cancelled', async (_, unknown) => {
    const fault = ({ nth }: SupplierCall) => (nth === 1 ? unknown : supplierFaults.contradict);
    await open(1, (call) =>
      call.kind === 'flights' && call.operation === 'reserve' ? fault(call) : undefined,
    );
    const reply = await purchase(1);
    expect(outcomeOf(reply)).toEqual(failed('flight_unavailable'));
    expect(await endOf(reply)).toBe('failed');
    expect((await supplier.ledger()).flights).toMatchObject([{ status: 'cancelled' }]);
    await expectCleanAudit();
  });

  test('a reservation that arrives after its cancel stays cancelled', async () => {
    let isLate = false;
    await open(1, (call) => (call.operation === 'reserve' && !isLate ? supplierFaults.hang : undefined));
    const reply = await purchase(1);
    expect(outcomeOf(reply)).toEqual(failed('supplier_silent'));
    expect(await endOf(reply)).toBe('failed');
    isLate = true;
    const [{ key, body }] = supplier.calls as [SupplierCall];
    const late = await fetch(`${supplier.url}/flights/reservations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'idempotency-key': key },
      body: JSON.stringify(body),
    });
    expect([late.status, await late.json()]).toMatchObject([409, { code: 'cancelled' }]);
    const { flights } = await supplier.ledger();
    expect(flights.filter(({ status }) => status === 'active')).toEqual([]);
    await expectCleanAudit();
  });
});

test('Q1 Q3 Q4 Q8 a sale keeps its promises with a supplier that fails in every way in turn', async () => {
  const kinds: SupplierFault[] = [
    supplierFaults.hang,
    supplierFaults.error500,
    supplierFaults.cutMidBody,
    supplierFaults.answerLate(timeoutMs * 2),
    supplierFaults.doneWithoutReply,
    supplierFaults.garbage,
  ];
  await open(8, (call) => {
    if (call.operation === 'cancel') return call.nth <= 2 ? supplierFaults.error500 : undefined;
    if (call.operation === 'ledger') return undefined;
    if (call.kind === 'hotels' && call.index % 5 === 0 && call.nth === 1) return supplierFaults.refuse;
    if (call.kind === 'flights' && call.index % 3 === 0 && call.nth === 1) return supplierFaults.refuse;
    return call.nth === 1 ? kinds[call.index % kinds.length] : undefined;
  });
  const replies = await Promise.all(Array.from({ length: 40 }, (_, buyer) => purchase(buyer)));
  await vi.waitFor(
    async () => {
      const inventory = await (await fetch(`${server.origin}/api/packages/1`)).json();
      expect(inventory).toMatchObject({ remaining: 0, held: 0, confirmed: 8, waiting: 0 });
    },
    { timeout: 30_000, interval: 50 },
  );
  expect(replies.filter(({ status }) => status === 201).length).toBeLessThanOrEqual(8);
  await expectCleanAudit();
}, 90_000);

test('Q5 Q7 when a slow flight fails, the second buyer gets the unit, and the first buyer’s retry gets the first buyer’s failure', async () => {
  const [asked, refused] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let isFirst = true;
  const fault = ({ kind, operation }: SupplierCall): SupplierFault | undefined => {
    if (kind !== 'flights' || operation !== 'reserve' || !isFirst) return undefined;
    isFirst = false;
    asked.resolve();
    return { effect: 'refuse', answerAfter: refused.promise };
  };
  await open(1, fault, 60_000);
  const first = purchase(1);
  await asked.promise;
  const second = buy(server.origin, 1, { email: email(2), key: 'key-2', prefer: 'respond-async' });
  expect(await second).toMatchObject({
    status: 202,
    order: { status: 'queued', queuePosition: 1, estimatedWait: null },
  });
  refused.resolve();
  expect(outcomeOf(await first)).toEqual({
    status: 502,
    code: 'supplier_failed',
    reason: 'flight_unavailable',
  });
  expect((await purchase(2)).order).toMatchObject({ status: 'confirmed' });
  expect(await purchase(1)).toEqual(await first);
  await expectCleanAudit();
});

test('Q8 a server with other suppliers lets the public reserve nothing at its own', async () => {
  await open(1, () => undefined);
  const url = `${server.origin}/api/suppliers/flights/reservations`;
  const refused = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ packageId: 1, flight: 'Flight-1', email: email(1) }),
  });
  expect(refused.status).toBe(401);
  const detail = expect.stringMatching('PUBLIC_SUPPLIERS');
  expect(await refused.json()).toMatchObject({ code: 'unauthorized', detail });
  const ledger = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  expect(await ledger.json()).toMatchObject({ reservations: [] });
  expect(supplier.calls).toEqual([]);
});
