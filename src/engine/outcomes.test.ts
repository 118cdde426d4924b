import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeNow, fakeOrder } from '../../test/support/fake-engine.ts';
import { ManualClock, runUntilIdle } from '../../test/support/manual-clock.ts';
import type { Order, OrderStatus, TimelineEvent } from '../domain/order.ts';
import { localLiveBus } from '../realtime/live-bus.ts';
import { Outcomes } from './live-caches.ts';

const events: readonly TimelineEvent[] = ['claimed', 'confirmed', 'cancel requested', 'cancelled'];

/** A version of the order with this many events in its timeline. */
function order(status: OrderStatus, happened: number): Order {
  return fakeOrder({
    status,
    timeline: events.slice(0, happened).map((event) => ({ at: fakeNow, event })),
  });
}

const held = order('held', 1);
const confirmed = order('confirmed', 2);
const cancelling = order('cancelling', 3);
const cancelled = order('cancelled', 4);

const liveBus = localLiveBus();
let stored: Order[];
let clock: ManualClock;
let outcomes: Outcomes;

beforeEach(() => {
  stored = [];
  clock = new ManualClock();
  outcomes = new Outcomes({ orders: async () => stored }, liveBus, clock);
});
afterEach(() => outcomes.close());

test('a wait returns at once if the outcome came before it', async () => {
  liveBus.publishOrder(confirmed);
  expect(await outcomes.wait(held, { waitMs: 1_000 })).toBe(confirmed);
});

test('Q11 a wait ends when the order is payable, because its buyer has to act', async () => {
  const payable = order('payable', 2);
  const outcome = outcomes.wait(held, { waitMs: 10_000 });
  liveBus.publishOrder(payable);
  await runUntilIdle();
  expect(await outcome).toBe(payable);
  stored = [payable];
  const lost = outcomes.wait(order('held', 1), { waitMs: 10_000 });
  await clock.advance(2_000);
  expect(await lost).toBe(payable);
});

test('a wait for a cancellation ignores an older confirmed version', async () => {
  liveBus.publishOrder(confirmed);
  const outcome = outcomes.wait(cancelling, { waitMs: 10_000 });
  // An older version of the order arrives late, both live and from the store.
  liveBus.publishOrder(confirmed);
  stored = [confirmed];
  await clock.advance(3_000);
  liveBus.publishOrder(cancelled);
  await runUntilIdle();
  expect(await outcome).toBe(cancelled);
});

test('a wait that ends without an outcome returns the newest version', async () => {
  const outcome = outcomes.wait(held, { waitMs: 500 });
  const further = order('held', 2);
  liveBus.publishOrder(further);
  liveBus.publishOrder(held);
  await clock.advance(500);
  expect(await outcome).toBe(further);
});

test('a wait reads the outcome from the store if the live update is lost', async () => {
  const outcome = outcomes.wait(held, { waitMs: 10_000 });
  stored = [confirmed];
  await clock.advance(2_000);
  expect(await outcome).toBe(confirmed);
});
