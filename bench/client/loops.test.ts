import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { runOf } from '../runner/measure.ts';
import { BoughtOrders } from './bought-orders.ts';
import { closedLoop } from './closed-loop.ts';
import type { LoopOptions } from './loop.ts';
import type { Measurement } from './measurement.ts';
import { openLoop } from './open-loop.ts';
import { UniqueNames } from './requests.ts';

interface Seen {
  readonly email: string;
  readonly key: string | undefined;
  readonly packageId: number;
}

/** A server that sells to every buyer and records its requests. */
async function seller(answer: (response: ServerResponse, seen: Seen) => void) {
  const asked: Seen[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { email, packageId } = JSON.parse(Buffer.concat(chunks).toString());
    const key = request.headers['idempotency-key'] as string | undefined;
    const seen = { email, key, packageId };
    asked.push(seen);
    answer(response, seen);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    [Symbol.dispose]: () => void server.close().closeAllConnections(),
  };
}

const sell = (response: ServerResponse, { email }: Seen) =>
  void response
    .writeHead(201, { 'content-type': 'application/json' })
    .end(JSON.stringify({ id: 'an-order', email }));
const tools = () => ({ names: new UniqueNames(), memory: new BoughtOrders() });
const request = { kind: 'buy', packages: [1, 2, 3] } as const;
/** Longer than a window that ends by a condition. */
const seconds = 60;

/** Ends the window of a load when the condition holds, so that a busy machine only takes longer. */
function endsWhen(isOver: (measurement: Measurement) => boolean): Pick<LoopOptions, 'watch'> {
  return {
    watch(measurement) {
      const timer = setInterval(() => {
        if (isOver(measurement)) measurement.window.cut();
      }, 1);
      return () => clearInterval(timer);
    },
  };
}

/** Ends the window of a load after this many answers and errors in it. */
function endsAfter(count: number): Pick<LoopOptions, 'watch'> {
  let before: number | undefined;
  return endsWhen(({ window, live }) => {
    const results = live.answered + live.errors;
    if (before === undefined || window.start === Number.POSITIVE_INFINITY) before = results;
    return results - before >= count;
  });
}

/** Holds all answers back until it opens at an edge of the window. */
function gate(opensAt: 'begin' | 'end') {
  const held: (() => void)[] = [];
  let isOpen = false;
  return {
    held,
    answer(response: ServerResponse, seen: Seen) {
      if (isOpen) sell(response, seen);
      else held.push(() => sell(response, seen));
    },
    onEdge(edge: 'begin' | 'end') {
      if (edge !== opensAt) return;
      isOpen = true;
      for (const answer of held) answer();
    },
  };
}

it('buys in a closed loop with a unique email each time, and remembers the orders', async () => {
  using shop = await seller(sell);
  const own = tools();
  const load = { origins: [shop.origin], request, callers: 3, seconds, warmUpSeconds: 0.05 };
  const result = await closedLoop(load, { ...own, ...endsAfter(100) });
  const { asked } = shop;
  expect(result.answers['201']).toBeGreaterThan(10);
  expect(result.latencies.confirmed.count).toBe(result.answers['201']);
  expect(result.errors + result.dropped).toBe(0);
  expect(new Set(asked.map(({ email }) => email)).size).toBe(asked.length);
  expect(new Set(asked.map(({ key }) => key)).size).toBe(asked.length);
  expect(new Set(asked.map(({ packageId }) => packageId))).toEqual(new Set([1, 2, 3]));
  expect(own.memory.bought[0]).toEqual({ id: 'an-order', email: asked[0]?.email });
});

it('counts refusals by their code, and sends no key if none is wanted', async () => {
  using shop = await seller((response) => {
    response
      .writeHead(409, { 'content-type': 'application/problem+json' })
      .end('{"title":"x","code":"sold_out"}');
  });
  const keyless = { ...request, keys: false };
  const result = await closedLoop(
    { origins: [shop.origin], request: keyless, callers: 2, seconds, warmUpSeconds: 0 },
    { ...tools(), ...endsAfter(4) },
  );
  expect(Object.keys(result.answers)).toEqual(['409 sold_out']);
  expect(result.latencies.refusal.count).toBeGreaterThan(0);
  expect(shop.asked.every(({ key }) => key === undefined)).toBe(true);
});

it('an open loop adds the time of a stalled server to the latency of all requests scheduled meanwhile', async () => {
  let stalledUntil = Number.POSITIVE_INFINITY;
  using shop = await seller((response, seen) => {
    if (stalledUntil === Number.POSITIVE_INFINITY) stalledUntil = performance.now() + 300;
    setTimeout(() => sell(response, seen), Math.max(0, stalledUntil - performance.now()));
  });
  const load = {
    origins: [shop.origin],
    request,
    rate: 200,
    connectionsMax: 1,
    seconds: 0.6,
    warmUpSeconds: 0,
  };
  const { latencies, dropped } = await openLoop(load, tools());
  // Of 120 requests, one third was scheduled in the first half of the stall, but only one was sent. Requests that still
  // wait for a connection when the window ends are dropped.
  expect(latencies.answer.count + dropped).toBeGreaterThanOrEqual(119);
  expect(latencies.answer.p90).toBeGreaterThan(150);
});

it('reports requests that it could not send or that got no answer', async () => {
  using shop = await seller(() => {});
  const load = {
    origins: [shop.origin],
    request,
    rate: 100,
    connectionsMax: 2,
    seconds: 0.3,
    warmUpSeconds: 0,
  };
  const { dropped, answers, errors, reasons } = await openLoop(load, { ...tools(), lastAnswersMs: 50 });
  expect(answers).toEqual({});
  // The first request may have been scheduled just before the window.
  expect(errors).toBeGreaterThanOrEqual(1);
  expect(errors).toBeLessThanOrEqual(2);
  expect(dropped + errors).toBeGreaterThanOrEqual(29);
  expect(reasons).toEqual({ 'no answer': errors });
});

it('counts a request without an answer as an error in a closed loop too', async () => {
  using shop = await seller(() => {});
  const load = { origins: [shop.origin], request, callers: 3, seconds, warmUpSeconds: 0.05 };
  const options = { ...tools(), lastAnswersMs: 50, ...endsWhen(() => shop.asked.length === 3) };
  const { dropped, errors, reasons } = await closedLoop(load, options);
  expect({ dropped, errors, reasons }).toEqual({ dropped: 0, errors: 3, reasons: { 'no answer': 3 } });
});

it.each(['open', 'closed'] as const)(
  'reports why connections could not be opened, in an %s loop',
  async (loop) => {
    const shop = await seller(sell);
    shop[Symbol.dispose]();
    const common = { origins: [shop.origin], request, seconds, warmUpSeconds: 0 };
    const options = { ...tools(), ...endsAfter(6) };
    const { errors, reasons, answers } =
      loop === 'open'
        ? await openLoop({ ...common, rate: 100, connectionsMax: 10 }, options)
        : await closedLoop({ ...common, callers: 2 }, options);
    expect(answers).toEqual({});
    expect(errors).toBeGreaterThan(5);
    expect(reasons).toEqual({ ECONNREFUSED: errors });
  },
);

it('separates the latency of outcomes from that of errors', async () => {
  let count = 0;
  using shop = await seller((response, seen) => {
    count += 1;
    if (count % 3 === 0) response.writeHead(429).end('{"code":"rate_limited"}');
    else if (count % 3 === 1) response.writeHead(409).end('{"code":"sold_out"}');
    else setTimeout(() => sell(response, seen), 20);
  });
  const load = { origins: [shop.origin], request, callers: 1, seconds, warmUpSeconds: 0 };
  const { latencies } = await closedLoop(load, { ...tools(), ...endsAfter(30) });
  const { answer, outcome, confirmed, refusal } = latencies;
  const rejected = answer.count - outcome.count;
  expect(rejected).toBeGreaterThan(3);
  expect(confirmed.count + refusal.count).toBe(answer.count);
  expect(outcome.count).toBe(answer.count - rejected);
  expect(Math.abs(outcome.count - 2 * rejected)).toBeLessThanOrEqual(2);
});

it('counts failed connections and continues', async () => {
  let count = 0;
  using shop = await seller((response, seen) => {
    count += 1;
    if (count % 2 === 0) response.socket?.destroy();
    else sell(response, seen);
  });
  const load = { origins: [shop.origin], request, callers: 1, seconds, warmUpSeconds: 0 };
  const { errors, answers } = await closedLoop(load, { ...tools(), ...endsAfter(10) });
  expect(errors).toBeGreaterThan(1);
  expect(answers['201']).toBeGreaterThan(1);
});

it('does not count a warm-up request that ends in the measured window of an open loop', async () => {
  const { held, answer, onEdge } = gate('begin');
  using shop = await seller(answer);
  let heldAtBegin = 0;
  let finishedAtEnd = 0;
  let measured: Measurement | undefined;
  const { watch } = endsAfter(70);
  const load = {
    origins: [shop.origin],
    request,
    rate: 100,
    connectionsMax: 100,
    warmUpSeconds: 0.3,
    seconds,
  };
  const result = await openLoop(load, {
    ...tools(),
    watch(measurement) {
      measured = measurement;
      return watch?.(measurement) ?? (() => {});
    },
    onEdge(edge) {
      if (edge === 'begin') heldAtBegin = held.length;
      else finishedAtEnd = measured?.live.finished ?? 0;
      onEdge(edge);
    },
  });
  expect(result.dropped).toBe(0);
  expect(Math.abs((result.answers['201'] ?? 0) - 100 * result.seconds)).toBeLessThanOrEqual(2);
  // But it counts as finished in the window, which is how an overload is measured.
  expect(heldAtBegin).toBeGreaterThan(0);
  expect(result.finishedInWindow).toBe(finishedAtEnd);
});

it.each(['open', 'closed'] as const)(
  'counts requests that are sent in the window and end after it, in an %s loop',
  async (loop) => {
    const { answer, onEdge } = gate('end');
    using shop = await seller(answer);
    const common = { origins: [shop.origin], request, seconds, warmUpSeconds: 0 };
    // The first requests of an open loop may be scheduled just before the window.
    const asked = loop === 'open' ? 40 : 20;
    const options = { ...tools(), onEdge, ...endsWhen(() => shop.asked.length >= asked) };
    const { answers, latencies } =
      loop === 'open'
        ? await openLoop({ ...common, rate: 100, connectionsMax: 100 }, options)
        : await closedLoop({ ...common, callers: 20 }, options);
    expect(answers['201']).toBeGreaterThanOrEqual(20);
    expect(answers['201']).toBe(latencies.outcome.count);
  },
);

it('waits as long for a connection at the end of the window as before', async () => {
  const { answer, onEdge } = gate('end');
  using shop = await seller(answer);
  const load = {
    origins: [shop.origin],
    request,
    rate: 100,
    connectionsMax: 1,
    seconds: 0.2,
    warmUpSeconds: 0,
  };
  const { answers, dropped } = await openLoop(load, { ...tools(), onEdge });
  // The first request has the only connection until the end of the window, and the others are sent after it.
  expect(dropped).toBe(0);
  expect(answers['201']).toBeGreaterThanOrEqual(19);
});

it.each(['open', 'closed'] as const)(
  'counts the same answers as outcomes and as finished, in an %s loop',
  async (loop) => {
    let count = 0;
    const mixed = [
      [201, '{}'],
      [502, '{"code":"supplier_failed"}'],
      [409, '{"code":"queue_full"}'],
      [202, '{}'],
      [429, '{"code":"rate_limited"}'],
    ] as const;
    using shop = await seller((response) => {
      const [status, body] = mixed[count++ % mixed.length] as (typeof mixed)[number];
      response.writeHead(status).end(body);
    });
    const common = { origins: [shop.origin], request, seconds, warmUpSeconds: 0.1 };
    const options = { ...tools(), ...endsAfter(50) };
    const result =
      loop === 'open'
        ? await openLoop({ ...common, rate: 200, connectionsMax: 10 }, options)
        : await closedLoop({ ...common, callers: 2 }, options);
    const { answers, latencies } = result;
    const outcomes = ['201', '502 supplier_failed', '409 queue_full'].map((name) => answers[name] ?? 0);
    expect(Math.min(...outcomes)).toBeGreaterThan(0);
    expect(latencies.outcome.count).toBe(outcomes.reduce((sum, each) => sum + each, 0));
    const { figures } = runOf(result, { round: 1, parameters: {} });
    expect(figures.finished).toBeCloseTo(latencies.outcome.count / result.seconds);
  },
);
