import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type CallFault, type SupplierGateway, startSupplierGateway } from './supplier-gateway.ts';

let server: Server;
let gateway: SupplierGateway;
/** The requests that reached the suppliers. */
let done: string[];

beforeEach(async () => {
  done = [];
  server = createServer(async (request, response) => {
    done.push(
      [request.method, request.url, request.headers['idempotency-key'], await text(request)].join(' '),
    );
    response.writeHead(201, { 'content-type': 'application/json' }).end('{"ticketNumber":"F1"}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  gateway = await startSupplierGateway(
    `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/suppliers`,
  );
});
afterEach(async () => {
  await gateway[Symbol.asyncDispose]();
  server.close();
  server.closeAllConnections();
});

/** Status and body of the answer, or `cut`; `silent` if the caller left without an answer. */
async function call(fault?: CallFault, leave?: AbortSignal): Promise<string> {
  gateway.decide(() => fault);
  try {
    const answer = await fetch(`http://127.0.0.1:${gateway.port}/api/suppliers/flights/reservations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'k' },
      body: '{"flight":"A"}',
      signal: leave ?? null,
    });
    return `${answer.status} ${await answer.text()}`;
  } catch {
    return leave?.aborted === true ? 'silent' : 'cut';
  }
}

const whole = '201 {"ticketNumber":"F1"}';
const reserved = 'POST /api/suppliers/flights/reservations k {"flight":"A"}';

it('passes a call and its answer on unchanged', async () => {
  expect(await call()).toBe(whole);
  expect(done).toEqual([reserved]);
});

it.each<[CallFault, RegExp, boolean]>([
  ['error', /^500 /, false],
  ['done but error', /^500 /, true],
  ['garbage', /^201 \{"ticketNu?$/, true],
  ['lost', /^silent$/, false],
  ['silent', /^silent$/, true],
  ['cut', /^cut$/, false],
  ['cut reply', /^cut$/, true],
  ['answered late', /^silent$/, true],
])('after the fault %j the caller gets %s, and the call is executed: %s', async (fault, heard, isDone) => {
  const caller = new AbortController();
  const answer = call(fault, caller.signal);
  await expect.poll(() => done, { timeout: 20_000 }).toEqual(isDone ? [reserved] : []);
  if (heard.test('silent')) setTimeout(() => caller.abort(), 100);
  expect(await answer).toMatch(heard);
});

it('after the fault "done late" the call takes effect when its caller has left', async () => {
  gateway.lateMs = () => 1_000;
  expect(await call('done late', AbortSignal.timeout(100))).toBe('silent');
  expect(done).toEqual([]);
  await expect.poll(() => done, { timeout: 20_000 }).toEqual([reserved]);
});

it('passes a call unchanged after a call with a fault', async () => {
  await call('cut');
  expect(await call()).toBe(whole);
});

it('fails the calls for one package, including cancellations of its reservations', async () => {
  const ask = async (method: string, path: string, key?: string, packageId?: number) => {
    const answer = await fetch(`http://127.0.0.1:${gateway.port}/api/suppliers/${path}`, {
      method,
      ...(key === undefined
        ? {}
        : { headers: { 'idempotency-key': key }, body: JSON.stringify({ packageId }) }),
    });
    return answer.status;
  };
  gateway.decideFor(7, () => 'error');
  expect(await ask('POST', 'flights/reservations', 'of-7', 7)).toBe(500);
  expect(await ask('POST', 'flights/reservations', 'of-8', 8)).toBe(201);
  expect(await ask('DELETE', 'flights/reservations/of-7')).toBe(500);
  expect(await ask('DELETE', 'flights/reservations/of-8')).toBe(201);
  expect(await ask('GET', 'flights/reservations')).toBe(201);
  gateway.decideFor(7, undefined);
  expect(await ask('POST', 'flights/reservations', 'of-7', 7)).toBe(201);
});

it('fails the calls of the payment provider by their method, and those about the payments of one package', async () => {
  const ask = async (method: string, path: string, key?: string, packageId?: number) => {
    const answer = await fetch(`http://127.0.0.1:${gateway.port}/api/${path}`, {
      method,
      ...(key === undefined
        ? {}
        : { headers: { 'idempotency-key': key }, body: JSON.stringify({ packageId, amount: 1 }) }),
    });
    return answer.status;
  };
  gateway.decidePayments((method) => (method === 'DELETE' ? 'error' : undefined));
  expect(await ask('POST', 'suppliers/flights/reservations', 'of-7', 7)).toBe(201);
  expect(await ask('POST', 'payments', 'of-7')).toBe(201);
  expect(await ask('GET', 'payments/of-7')).toBe(201);
  expect(await ask('DELETE', 'payments/of-7')).toBe(500);
  expect(await ask('DELETE', 'suppliers/flights/reservations/of-7')).toBe(201);
  gateway.decidePayments(() => undefined);
  gateway.decideFor(7, () => 'error');
  expect(await ask('POST', 'payments', 'of-7')).toBe(500);
  expect(await ask('GET', 'payments/of-7')).toBe(500);
  expect(await ask('GET', 'payments/of-8')).toBe(201);
});
