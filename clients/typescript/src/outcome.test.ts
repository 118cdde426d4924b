import { afterEach, expect, it } from 'vitest';
import { ManualClock, runUntilIdle } from '../../../test/support/manual-clock.ts';
import type { Order, Problem } from './api-types.ts';
import {
  NoAnswerError,
  ProblemError,
  type Socket,
  type SocketConstructor,
  type SocketEvent,
} from './index.ts';
import { type OutcomeOptions, waitForOutcome } from './outcome.ts';

const queued: Order = {
  ...{ id: '7Q4M-9XKD-2VBN-H5TR', packageId: 1, email: 'ana@example.com', status: 'queued' },
  package: { flight: 'Flight-1', stay: '2030-01-01', price: 100 },
  createdAt: '2029-06-01T09:00:00.012Z',
  timeline: [{ at: '2029-06-01T09:00:00.012Z', event: 'queued' }],
};

/** The order after so many further changes. */
function changed(changes: number, members: Partial<Order>): Order {
  const added = Array.from({ length: changes }, () => ({ at: queued.createdAt, event: 'claimed' }) as const);
  return { ...queued, ...members, timeline: [...queued.timeline, ...added] };
}

const held = changed(1, { status: 'held' });
const payable = changed(2, {
  ...{ status: 'payable', amount: 10_000, currency: 'EUR', payBy: queued.createdAt },
  paymentUrl: 'https://pay.example/1',
});
const confirmed = changed(3, { status: 'confirmed' });

/** A socket whose other end is the test. */
class FakeSocket implements Socket {
  static all: FakeSocket[] = [];
  /** Whether new sockets are broken. */
  static isBroken = false;
  readonly url: string;
  isClosed = false;
  readonly #listeners = new Map<string, ((event: SocketEvent) => void)[]>();

  constructor(url: string) {
    this.url = url;
    FakeSocket.all.push(this);
    if (FakeSocket.isBroken) queueMicrotask(() => this.fire('error'));
  }

  static get last(): FakeSocket {
    return FakeSocket.all.at(-1) as FakeSocket;
  }

  addEventListener(type: string, listener: (event: SocketEvent) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  close(): void {
    this.isClosed = true;
  }

  fire(type: string, data?: unknown): void {
    for (const listener of this.#listeners.get(type) ?? []) listener({ type, data });
  }

  say(message: object | string): void {
    this.fire('message', typeof message === 'string' ? message : JSON.stringify(message));
  }
}

afterEach(() => {
  FakeSocket.all = [];
  FakeSocket.isBroken = false;
});

interface Scene extends OutcomeOptions {
  /** False: there are no WebSockets. */
  readonly hasSockets?: boolean;
  readonly socket?: SocketConstructor;
}

/** A wait for the outcome of an order that the test changes. */
function wait({ hasSockets = true, socket = FakeSocket, ...options }: Scene = {}) {
  const clock = new ManualClock();
  const server: { order: Order; failure?: Error; polls: number[] } = { order: queued, polls: [] };
  const seen: string[] = [];
  const outcome = waitForOutcome(
    {
      async lookUp() {
        await undefined;
        server.polls.push(clock.monotonic());
        if (server.failure !== undefined) throw server.failure;
        return { order: server.order, socketUrl: 'ws://tickets.example/live?topic=order:1' };
      },
      ...{ socket: hasSockets ? socket : undefined, clock, random: () => 0.5 },
    },
    {
      onUpdate: ({ status, queuePosition }) => seen.push(`${status} ${queuePosition ?? '-'}`),
      ...options,
    },
  );
  let ended: unknown;
  const keep = (result: unknown) => {
    ended = result;
  };
  void outcome.then(keep, keep);
  return { clock, server, seen, outcome, ended: () => ended };
}

it('follows an order over a socket: its position in the queue, and its outcome', async () => {
  const { clock, server, seen, outcome } = wait();
  await runUntilIdle();
  expect(FakeSocket.last.url).toBe('ws://tickets.example/live?topic=order:1');
  FakeSocket.last.say({ now: 1 });
  const estimatedWait = { minSeconds: 20, maxSeconds: 60 };
  FakeSocket.last.say({ order: { ...queued, queuePosition: 2, estimatedWait } });
  FakeSocket.last.say({ order: { ...queued, queuePosition: 2, estimatedWait } });
  FakeSocket.last.say({ order: held });
  FakeSocket.last.say({ order: queued });
  await clock.advance(8_000);
  FakeSocket.last.say({ now: 2 });
  await clock.advance(8_000);
  FakeSocket.last.say({ order: confirmed });
  expect(await outcome).toEqual(confirmed);
  expect(seen).toEqual(['queued -', 'queued 2', 'held -', 'confirmed -']);
  expect([server.polls, FakeSocket.last.isClosed, clock.sleepers]).toEqual([[0], true, 0]);
});

it.each<Order['status']>(['confirmed', 'failed', 'rejected', 'withdrawn', 'cancelled'])(
  'ends at once with an order that is %s',
  async (status) => {
    const { server, outcome } = wait();
    server.order = changed(1, { status });
    expect((await outcome).status).toBe(status);
    expect(FakeSocket.all).toEqual([]);
  },
);

it.each<Order['status']>(['queued', 'held', 'payable', 'compensating', 'cancelling'])(
  'waits on with an order that is %s',
  async (status) => {
    const { server, clock, ended } = wait({ hasSockets: false });
    server.order = changed(1, { status });
    await clock.advance(10_000);
    expect(ended()).toBeUndefined();
  },
);

it('tells once that the order has to be paid, and waits on', async () => {
  const due: string[] = [];
  const { outcome, seen } = wait({
    onPayable: ({ paymentUrl, amount, currency, payBy }) =>
      due.push(`${amount} ${currency} ${payBy} ${paymentUrl}`),
  });
  await runUntilIdle();
  for (const order of [held, payable, { ...payable, email: 'erased' }, confirmed])
    FakeSocket.last.say({ order });
  await outcome;
  expect(due).toEqual([`10000 EUR ${queued.createdAt} https://pay.example/1`]);
  expect(seen).toEqual(['queued -', 'held -', 'payable -', 'payable -', 'confirmed -']);
});

it('polls where there are no WebSockets', async () => {
  const { clock, server, seen, outcome } = wait({ hasSockets: false });
  await clock.advance(4_500);
  server.order = { ...queued, queuePosition: 1 };
  await clock.advance(2_000);
  server.order = confirmed;
  await clock.advance(2_000);
  expect(await outcome).toEqual(confirmed);
  expect(server.polls).toEqual([0, 2_000, 4_000, 6_000, 8_000]);
  expect(seen).toEqual(['queued -', 'queued 1', 'confirmed -']);
});

it('polls while no socket opens, and tries one less often then', async () => {
  FakeSocket.isBroken = true;
  const { clock, server, outcome } = wait();
  await clock.advance(39_000);
  expect(server.polls).toHaveLength(20);
  expect(FakeSocket.all).toHaveLength(4);
  server.order = confirmed;
  await clock.advance(2_000);
  expect(await outcome).toEqual(confirmed);
});

it.each([
  ['closes', (socket: FakeSocket) => socket.fire('close'), 0],
  ['breaks', (socket: FakeSocket) => socket.fire('error'), 0],
  ['is silent for 9 s', () => {}, 9_000],
])('reads the order and opens another socket when its socket %s', async (_how, end, afterMs) => {
  const { clock, server, seen, outcome } = wait();
  await runUntilIdle();
  FakeSocket.last.say({ now: 1 });
  end(FakeSocket.last);
  server.order = held;
  await clock.advance(afterMs + 500);
  expect(FakeSocket.all).toHaveLength(2);
  expect(FakeSocket.all[0]?.isClosed).toBe(true);
  expect(server.polls).toEqual([0, afterMs + 500]);
  FakeSocket.all[0]?.say({ order: confirmed });
  FakeSocket.last.say({ order: confirmed });
  await outcome;
  expect(seen).toEqual(['queued -', 'held -', 'confirmed -']);
});

it('terminates only a silent socket, where sockets can be terminated', async () => {
  const ends: string[] = [];
  class TerminableSocket extends FakeSocket {
    override close(): void {
      ends.push('close');
    }
    terminate(): void {
      ends.push('terminate');
    }
  }
  const { clock, outcome } = wait({ socket: TerminableSocket });
  await runUntilIdle();
  FakeSocket.last.say({ now: 1 });
  await clock.advance(9_500);
  expect(ends).toEqual(['terminate']);
  FakeSocket.last.say({ order: confirmed });
  await outcome;
  expect(ends).toEqual(['terminate', 'close']);
});

it('gives a socket that does not open five seconds', async () => {
  const { clock, server } = wait();
  await clock.advance(4_900);
  expect([server.polls.length, FakeSocket.all.length]).toEqual([1, 1]);
  await clock.advance(2_200);
  expect([server.polls.length, FakeSocket.all.length, FakeSocket.all[0]?.isClosed]).toEqual([2, 2, true]);
});

it('looks the order up after 30 s in which its socket has only told the time, and opens another', async () => {
  const { clock, server, seen } = wait();
  await runUntilIdle();
  const tellTheTime = async (forMs: number) => {
    for (let ms = 0; ms < forMs; ms += 4_000) {
      await clock.advance(4_000);
      FakeSocket.last.say({ now: ms });
    }
  };
  await tellTheTime(20_000);
  FakeSocket.last.say({ order: held });
  await tellTheTime(28_000);
  expect([server.polls, FakeSocket.all.length]).toEqual([[0], 1]);
  server.order = payable;
  await clock.advance(2_500);
  expect([server.polls, FakeSocket.all.length]).toEqual([[0, 50_500], 2]);
  expect([seen.at(-1), FakeSocket.all[0]?.isClosed]).toEqual(['payable -', true]);
});

it('polls a server whose socket sends other messages than JSON', async () => {
  const { clock, server, outcome } = wait();
  await runUntilIdle();
  FakeSocket.last.say('<hx-partial hx-target="#order-live"></hx-partial>');
  server.order = confirmed;
  await clock.advance(2_000);
  expect(await outcome).toEqual(confirmed);
});

it('waits through an outage, and asks less often then', async () => {
  const { clock, server, outcome } = wait();
  server.failure = new NoAnswerError('the server is out of reach', {});
  await clock.advance(60_000);
  expect(server.polls.length).toBeGreaterThan(10);
  expect(server.polls.length).toBeLessThan(25);
  server.order = confirmed;
  delete server.failure;
  await clock.advance(5_000);
  expect(await outcome).toEqual(confirmed);
});

const problem = (code: string, status: number) =>
  new ProblemError({ type: 'about:blank', title: code, status, code: code as Problem['code'] }, status);
const strayAnswer = (status: number) =>
  new NoAnswerError(`the answer ${status} is not one of the server's`, { status });

it.each([
  strayAnswer(404),
  strayAnswer(200),
  strayAnswer(429),
  strayAnswer(500),
  problem('internal', 500),
  problem('rate_limited', 429),
  problem('request_timeout', 408),
  problem('not_found_at_the_proxy', 404),
])('waits on after "$message", once it has read the order', async (failure) => {
  const { clock, server, outcome, ended } = wait({ hasSockets: false });
  await clock.advance(1_000);
  server.failure = failure;
  await clock.advance(30_000);
  expect(ended()).toBeUndefined();
  server.order = confirmed;
  delete server.failure;
  await clock.advance(10_000);
  expect(await outcome).toEqual(confirmed);
});

it('ends when the server does not know the order any more', async () => {
  const { clock, server, ended } = wait({ hasSockets: false });
  await clock.advance(1_000);
  server.failure = problem('unknown_order', 404);
  await clock.advance(3_000);
  expect(ended()).toBe(server.failure);
});

it('ends with a failure that will stay, when it has not read the order', async () => {
  const missing = wait();
  missing.server.failure = strayAnswer(404);
  await missing.clock.advance(1);
  await expect(missing.outcome).rejects.toThrow('the answer 404');
});

it('ends with what a callback throws, also with a temporary error of the client', async () => {
  const failed = wait({
    onUpdate() {
      throw strayAnswer(503);
    },
  });
  await failed.clock.advance(1);
  await expect(failed.outcome).rejects.toThrow('the answer 503');
  const onUpdate = ({ status }: Order) => {
    if (status === 'held') throw new Error('a bug of the caller');
  };
  const throwing = wait({ onUpdate });
  await runUntilIdle();
  FakeSocket.last.say({ order: held });
  await expect(throwing.outcome).rejects.toThrow('a bug of the caller');
  expect([FakeSocket.last.isClosed, throwing.clock.sleepers]).toEqual([true, 0]);
});

it.each<[string, OutcomeOptions]>([
  ['onUpdate', { onUpdate: ({ status }) => (status === 'payable' ? fails() : undefined) }],
  ['onPayable', { onPayable: fails }],
])('ends with the rejection of an asynchronous %s', async (_name, callbacks) => {
  const { clock, ended } = wait(callbacks);
  await runUntilIdle();
  FakeSocket.last.say({ order: held });
  await runUntilIdle();
  expect(ended()).toBeUndefined();
  FakeSocket.last.say({ order: payable });
  await runUntilIdle();
  expect(ended()).toMatchObject({ message: 'a bug of the caller' });
  expect([FakeSocket.last.isClosed, clock.sleepers]).toEqual([true, 0]);
});

async function fails(): Promise<void> {
  await undefined;
  throw new Error('a bug of the caller');
}

it('keeps the outcome when a callback rejects later', async () => {
  const { server, outcome } = wait({ onUpdate: fails });
  server.order = confirmed;
  expect(await outcome).toEqual(confirmed);
  await runUntilIdle();
});

it('ends after its timeout, with the order as it was last', async () => {
  const { clock, ended } = wait({ timeoutMs: 3_000 });
  await runUntilIdle();
  FakeSocket.last.say({ order: held });
  await clock.advance(2_999);
  expect(ended()).toBeUndefined();
  await clock.advance(1);
  expect(ended()).toMatchObject({ name: 'OutcomeTimeoutError', order: held });
  expect([FakeSocket.last.isClosed, clock.sleepers]).toEqual([true, 0]);
});

it.each([
  ['a socket', true],
  ['a pause', false],
])('ends with the reason of the signal during %s', async (_what, hasSockets) => {
  const stop = new AbortController();
  const { clock, ended } = wait({ hasSockets, signal: stop.signal, timeoutMs: 60_000 });
  await clock.advance(1_000);
  stop.abort(new Error('the buyer has left'));
  await runUntilIdle();
  expect(ended()).toMatchObject({ message: 'the buyer has left' });
  expect(clock.sleepers).toBe(0);
  const late = wait({ signal: stop.signal });
  await expect(late.outcome).rejects.toThrow('the buyer has left');
  expect(late.server.polls).toEqual([]);
});
