import { expect, it, vi } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { Order, Problem } from './api-types.ts';
import {
  NoAnswerError,
  ProblemError,
  PurchaseAbortedError,
  TicketClient,
  type TicketClientOptions,
} from './index.ts';

const origin = 'http://tickets.example';
const purchase = { packageId: 1, email: 'ana@example.com' };
const order: Order = {
  ...{ id: '7Q4M-9XKD-2VBN-H5TR', packageId: 1, email: purchase.email, status: 'confirmed' },
  package: { flight: 'Flight-1', stay: '2030-01-01', price: 100 },
  ...{ createdAt: '2029-06-01T09:00:00.012Z', timeline: [] },
};

type Answer = Response | Error | 'hangs';

const json = (status: number, value: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(value), { status, headers });
const problem = (code: Problem['code'], status: number, retryAfterS?: number) =>
  json(
    status,
    { type: 'about:blank', title: `It is ${code}`, status, code },
    retryAfterS === undefined ? {} : { 'Retry-After': String(retryAfterS) },
  );
const brokenConnection = new TypeError('fetch failed');

/** A client of a server that gives these answers, one after the other, and then the order. */
function clientOf(answers: Answer[], options: TicketClientOptions = {}) {
  const clock = new ManualClock();
  const asked: { readonly url: string; readonly init: RequestInit; readonly atMs: number }[] = [];
  // A wrapper without the members of some runtimes' `fetch`, and for the arguments of the client only.
  const ask = async (url: URL, init: RequestInit): Promise<Response> => {
    asked.push({ url: url.href, init, atMs: clock.monotonic() });
    const answer = answers.shift() ?? json(201, order);
    if (answer instanceof Error) throw answer;
    if (answer !== 'hangs') return answer;
    return new Promise((_, reject) => {
      init.signal?.addEventListener('abort', () => reject(init.signal?.reason));
    });
  };
  const client = new TicketClient(origin, { fetch: ask, clock, random: () => 0, ...options });
  const keys = () => asked.map(({ init }) => new Headers(init.headers).get('idempotency-key'));
  return { client, clock, asked, keys };
}

/** The error of a call that fails, while the time passes. */
async function failureOf(call: Promise<unknown>, clock: ManualClock): Promise<unknown> {
  const failed = call.then(
    () => expect.fail('it succeeded'),
    (error: unknown) => error,
  );
  await clock.advance(600_000);
  return failed;
}

it.each<[string, Answer]>([
  ['a broken connection', brokenConnection],
  ['429 with Retry-After', problem('rate_limited', 429, 1)],
  ['503 with Retry-After', problem('overloaded', 503, 1)],
  ['429 without Retry-After', problem('rate_limited', 429)],
  ['503 without Retry-After', problem('store_unavailable', 503)],
  ['408, when the request was too slow', problem('request_timeout', 408)],
  ['500, when its outcome is unknown', problem('internal', 500)],
  ...[408, 429, 500, 502, 503, 504, 520, 524, 527].map((status): [string, Answer] => [
    `the ${status} of a proxy`,
    new Response('<h1>Please try again</h1>', { status }),
  ]),
])('Q7 repeats a purchase under the same key after %s', async (_what, answer) => {
  const { client, clock, keys, asked } = clientOf([answer, brokenConnection]);
  const bought = client.buy(purchase);
  await clock.advance(10_000);
  expect(await bought).toEqual(order);
  expect(keys()).toHaveLength(3);
  expect(new Set(keys()).size).toBe(1);
  expect(keys()[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(asked.map(({ url, init }) => [url, init.method, init.body])).toEqual(
    Array.from({ length: 3 }, () => [`${origin}/api/orders`, 'POST', JSON.stringify(purchase)]),
  );
});

it('Q7 gives each purchase a key of its own, unless its caller has one', async () => {
  const { client, keys } = clientOf([]);
  await client.buy(purchase);
  await client.buy(purchase);
  await client.buy(purchase, { idempotencyKey: 'mine-1' });
  expect(new Set(keys()).size).toBe(3);
  expect(keys()[2]).toBe('mine-1');
});

it.each<[Problem['code'], number, number?]>([
  ['sold_out', 409],
  ['queue_full', 409, 2],
  ['payment_declined', 402],
  ['invalid', 422],
])('does not repeat a purchase after the problem %s', async (code, status, retryAfterS) => {
  const { client, clock, asked, keys } = clientOf([problem(code, status, retryAfterS)]);
  const error = await failureOf(client.buy(purchase), clock);
  expect(error).toBeInstanceOf(ProblemError);
  expect(error).toMatchObject({ code, status, title: `It is ${code}`, idempotencyKey: keys()[0] });
  expect(asked).toHaveLength(1);
});

it('tells of a problem with its detail, errors and order, and does not repeat what failed with an order', async () => {
  const all = {
    ...{ type: 'about:blank', title: 'A supplier could not book it', status: 502, code: 'supplier_failed' },
    ...{ detail: 'The flight had no seat.', errors: [{ path: 'email', message: 'must be an email' }], order },
  };
  const { client, clock, asked } = clientOf([json(502, all, { 'Retry-After': '1' })]);
  const error = await failureOf(client.buy(purchase), clock);
  const { type: _type, ...members } = all;
  expect(error).toMatchObject({ ...members, isTemporary: false });
  expect((error as Error).message).toBe('A supplier could not book it: The flight had no seat.');
  expect(asked).toHaveLength(1);
});

it('waits longer from one attempt to the next, and at least as long as the server asks', async () => {
  const answers = [
    brokenConnection,
    brokenConnection,
    problem('paused', 503, 10),
    new Response('<h1>Slow down</h1>', { status: 429, headers: { 'Retry-After': '20' } }),
    problem('internal', 500),
  ];
  const { client, clock, asked } = clientOf(answers);
  const bought = client.buy(purchase);
  await clock.advance(60_000);
  expect(await bought).toEqual(order);
  expect(asked.map(({ atMs }) => atMs)).toEqual([0, 200, 600, 11_400, 33_000, 36_200]);
});

it('waits a random time, so that clients that failed together do not return together', async () => {
  const { client, clock, asked } = clientOf([brokenConnection], { random: () => 0.5 });
  const bought = client.buy(purchase);
  await clock.advance(1_000);
  await bought;
  expect(asked[1]?.atMs).toBe(150);
});

it('gives up after so many retries, and when the server asks for more than a minute', async () => {
  const many = clientOf(
    Array.from({ length: 20 }, () => brokenConnection),
    { retries: 3 },
  );
  const error = await failureOf(many.client.buy(purchase), many.clock);
  expect(error).toBeInstanceOf(NoAnswerError);
  expect(error).toMatchObject({ isTemporary: true, cause: brokenConnection, idempotencyKey: many.keys()[0] });
  expect(many.asked).toHaveLength(4);
  const long = clientOf([problem('rate_limited', 429, 61)]);
  expect(await failureOf(long.client.packages(), long.clock)).toMatchObject({ retryAfterMs: 61_000 });
  expect(long.asked).toHaveLength(1);
});

it.each([
  ['a page', new Response('<h1>Not found</h1>', { status: 404 })],
  ['success without JSON', new Response('<h1>Welcome</h1>', { status: 200 })],
])('does not take %s for an answer, and does not repeat the request', async (_what, answer) => {
  const { client, clock, asked } = clientOf([answer]);
  const error = await failureOf(client.packages(), clock);
  expect(error).toBeInstanceOf(NoAnswerError);
  expect(error).toMatchObject({ isTemporary: false, status: answer.status });
  expect(asked).toHaveLength(1);
});

it('follows no redirect, and names it', async () => {
  const location = 'https://www.tickets.example/api/orders?email=ana@example.com';
  const { client, clock, asked } = clientOf([new Response(null, { status: 307, headers: { location } })]);
  const error = await failureOf(client.buy(purchase), clock);
  expect(error).toBeInstanceOf(NoAnswerError);
  expect(error).toMatchObject({
    ...{ status: 307, isTemporary: false },
    message:
      "the answer is a redirect to https://www.tickets.example, which is not followed: use the server's own address",
  });
  expect(asked.map(({ init }) => init.redirect)).toEqual(['manual']);
});

it('follows no redirect that the browser hides', async () => {
  const hidden = Object.defineProperties(Response.error(), { type: { value: 'opaqueredirect' } });
  const { client, clock, asked } = clientOf([hidden]);
  expect(await failureOf(client.buy(purchase), clock)).toMatchObject({
    ...{ status: 0, isTemporary: false },
    message: "the answer is a redirect, which is not followed: use the server's own address",
  });
  expect(asked).toHaveLength(1);
});

it.each(['https://tickets.example/shop', 'https://tickets.example/api/', 'localhost:8888'])(
  'refuses the address %s, because it has a path',
  (address) => {
    expect(() => new TicketClient(address)).toThrow(/must have no path: /);
  },
);

it('repeats a request that gets no answer in time', async () => {
  const { client, clock, asked } = clientOf(['hangs'], { answerTimeoutMs: 5 });
  const bought = client.buy(purchase, { waitSeconds: 0 });
  await vi.waitFor(() => expect(clock.sleepers).toBe(1));
  await clock.advance(1_000);
  expect(await bought).toEqual(order);
  expect(asked).toHaveLength(2);
});

it('ends with the reason of the signal, during a request and during a pause', async () => {
  const stop = new AbortController();
  const hanging = clientOf(['hangs']);
  const call = failureOf(hanging.client.package(1, { signal: stop.signal }), hanging.clock);
  stop.abort(new Error('the buyer has left'));
  expect(await call).toBe(stop.signal.reason);
  const pausing = clientOf([problem('overloaded', 503, 60)]);
  const stopLater = new AbortController();
  const pausedCall = pausing.client.package(1, { signal: stopLater.signal });
  const failed = expect(pausedCall).rejects.toThrow('the buyer has left');
  await vi.waitFor(() => expect(pausing.clock.sleepers).toBe(1));
  stopLater.abort(new Error('the buyer has left'));
  await failed;
  expect(pausing.asked).toHaveLength(1);
});

it('Q7 says under which key to buy again after a purchase that was aborted', async () => {
  const stop = new AbortController();
  const { client, clock, keys } = clientOf(['hangs']);
  const call = failureOf(client.buy(purchase, { signal: stop.signal }), clock);
  stop.abort(new Error('the buyer has left'));
  const error = (await call) as PurchaseAbortedError;
  expect(error).toBeInstanceOf(PurchaseAbortedError);
  expect(error).toMatchObject({ cause: stop.signal.reason, isTemporary: true });
  expect(await client.buy(purchase, { idempotencyKey: error.idempotencyKey })).toEqual(order);
  expect(keys()).toEqual([error.idempotencyKey, error.idempotencyKey]);
});

it('buys nothing when its signal has aborted before', async () => {
  const signal = AbortSignal.abort(new Error('the buyer has left'));
  const { client, asked } = clientOf([]);
  await expect(client.buy(purchase, { signal })).rejects.toBe(signal.reason);
  expect(asked).toEqual([]);
});

it('throws at once for a key that no header can have', async () => {
  const { client, asked } = clientOf([]);
  await expect(client.buy(purchase, { idempotencyKey: 'mine\n1' })).rejects.toThrow(TypeError);
  expect(asked).toEqual([]);
});

it('asks the server to wait as long as the caller wants', async () => {
  const { client, asked } = clientOf([]);
  for (const waitSeconds of [0, 3]) await client.buy(purchase, { waitSeconds });
  await client.buy(purchase);
  const wanted = asked.map(({ init }) => new Headers(init.headers).get('prefer'));
  expect(wanted).toEqual(['respond-async', 'wait=3', 'wait=10']);
});

it('says in which language the buyer wants mails', async () => {
  const { client, asked } = clientOf([]);
  await client.buy(purchase, { language: 'de' });
  await client.buy(purchase);
  expect(asked.map(({ init }) => new Headers(init.headers).get('accept-language'))).toEqual(['de', null]);
});

it('reads all packages page by page', async () => {
  const page = (ids: number[], next?: string) =>
    json(200, { packages: ids.map((id) => ({ id })), ...(next === undefined ? {} : { next }) });
  const { client, asked } = clientOf([page([1, 2], '2'), page([3])]);
  const ids: number[] = [];
  for await (const { id } of client.allPackages({ limit: 2, flight: 'a b' })) ids.push(id);
  expect(ids).toEqual([1, 2, 3]);
  expect(asked.map(({ url }) => url.replace(origin, ''))).toEqual([
    '/api/packages?limit=2&flight=a+b',
    '/api/packages?limit=2&flight=a+b&cursor=2',
  ]);
});

it('leaves out what a query does not say', async () => {
  const { client, asked } = clientOf([json(200, { packages: [] })]);
  await client.packages({ limit: 2, flight: undefined });
  expect(asked.map(({ url }) => url)).toEqual([`${origin}/api/packages?limit=2`]);
});
