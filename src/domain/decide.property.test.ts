import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DecideFixture } from '../../test/support/decide-fixture.ts';
import type { PackageMessage } from './messages.ts';
import type { Order } from './order.ts';
import { isConserved } from './travel-package.ts';

/** A random event. Its numbers select among the existing orders. */
const happenings = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('purchase'), key: fc.option(fc.nat(8)), who: fc.nat(3) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'booked',
        'paymentDue',
        'paid',
        'unpaid',
        'refused',
        'needsCompensation',
        'compensated',
        'cancel',
        'withdraw',
        'old result',
      ),
      which: fc.nat(30),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('suppliers'), open: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('amend'), quota: fc.nat(6), paused: fc.boolean() }) },
);
type Happening = typeof happenings extends fc.Arbitrary<infer T> ? T : never;

const runs = fc.record({
  quota: fc.nat(4),
  waitersPerUnit: fc.nat(3),
  waitersMax: fc.nat(6),
  rejectionsMax: fc.integer({ min: 1, max: 3 }),
  /** Orders of a sale without payments never become payable. */
  isPaid: fc.boolean(),
  batches: fc.array(fc.record({ batch: fc.array(happenings, { maxLength: 6 }), takeover: fc.boolean() }), {
    maxLength: 25,
  }),
});

function toMessage(bench: DecideFixture, happening: Happening): PackageMessage {
  const ids = [...bench.stored.keys()];
  const orderId = ('which' in happening && ids[happening.which % ids.length]) || 'none';
  switch (happening.do) {
    case 'purchase': {
      const { key, who } = happening as { key: number | null; who: number };
      return bench.purchase({ email: `${who}@example.com`, ...(key === null ? {} : { key: `k${key}` }) });
    }
    case 'booked':
    case 'paymentDue':
    case 'paid':
    case 'unpaid':
    case 'refused':
    case 'needsCompensation':
    case 'compensated':
    case 'cancel':
      return bench[happening.do](orderId);
    case 'withdraw':
      return { kind: 'withdraw', orderId };
    case 'old result':
      return { ...bench.refused(orderId), epoch: bench.state.epoch - 1 } as PackageMessage;
    case 'suppliers':
      return { kind: 'suppliers', available: (happening as { open: boolean }).open };
    default: {
      const { quota, paused } = happening as { quota: number; paused: boolean };
      const { version } = bench.state.package;
      return {
        kind: 'update',
        version,
        quota,
        paused,
        deadlineAt: Number.MAX_SAFE_INTEGER,
        caller: () => {},
      };
    }
  }
}

const payments = { provider: 'simulated', currency: 'EUR', minorPerUnit: 100, windowMs: 1_000 };

function count(bench: DecideFixture, ...statuses: Order['status'][]): number {
  return bench.ordersBy(...statuses).length;
}

function check(bench: DecideFixture): void {
  const { inventory, package: travelPackage, queue, orders } = bench.state;
  expect(isConserved(travelPackage.quota, inventory), 'Q1').toBe(true);
  expect(inventory, 'Q1 the inventory matches the orders').toMatchObject({
    held: count(bench, 'held', 'payable', 'compensating'),
    confirmed: count(bench, 'confirmed', 'cancelling'),
    cancelling: count(bench, 'cancelling'),
    waiting: count(bench, 'queued'),
    nextNumber: bench.stored.size + 1,
  });
  expect(inventory.confirmed, 'Q3').toBeLessThanOrEqual(travelPackage.quota);
  const waiting = bench.ordersBy('queued').map((order) => order.number);
  expect(queue.first(Number.POSITIVE_INFINITY), 'Q5 the queue is ordered by number').toEqual(waiting);
  expect(waiting.map((number) => queue.position(number))).toEqual(waiting.map((_, index) => index + 1));
  expect(queue.size).toBe(waiting.length);
  expect(orders.size).toBe(count(bench, 'queued', 'held', 'payable', 'compensating', 'cancelling'));
  const keys = [...bench.stored.values()].flatMap((order) => order.key ?? []);
  expect(new Set(keys).size, 'Q7').toBe(keys.length);
  if (waiting.length > 0 && bench.state.suppliersAvailable && travelPackage.paused !== true) {
    expect(inventory.remaining, 'Q4 no order waits while a unit is free').toBe(0);
  }
}

/** Checks Q5: an order that a batch claims has a lower number than every order that still waits. */
function checkOrder(bench: DecideFixture, before: ReadonlyMap<string, Order>): void {
  const claimed = bench.ordersBy('held').filter(({ id }) => before.get(id)?.status !== 'held');
  const stillWaiting = bench.ordersBy('queued')[0]?.number ?? Number.POSITIVE_INFINITY;
  for (const { number } of claimed) expect(number, 'Q5').toBeLessThan(stillWaiting);
}

test('Q1 Q2 Q3 Q4 Q5 Q7 all hold after every batch of random events', async () => {
  await fc.assert(
    fc.asyncProperty(runs, async ({ isPaid, quota, batches, ...limits }) => {
      const rules = { ...limits, payments: isPaid ? payments : undefined };
      const bench = new DecideFixture({ quota }, rules);
      for (const { batch, takeover } of batches) {
        const before = new Map(bench.stored);
        if (takeover) bench.takeover();
        await bench.batch(...batch.map((happening) => toMessage(bench, happening)));
        check(bench);
        checkOrder(bench, before);
      }
    }),
    { numRuns: 1_500 },
  );
});

test('Q4 once all sagas have ended, every unit is confirmed or no order waits', async () => {
  await fc.assert(
    fc.asyncProperty(runs, fc.infiniteStream(fc.boolean()), async ({ isPaid, quota, batches }, coin) => {
      const rules = { waitersPerUnit: 3, payments: isPaid ? payments : undefined };
      const bench = new DecideFixture({ quota }, rules);
      for (const { batch } of batches) {
        const messages = batch.map((happening) => toMessage(bench, happening));
        await bench.batch(...messages.filter(({ kind }) => kind !== 'update' && kind !== 'suppliers'));
      }
      for (let rounds = 0; bench.state.orders.size > 0; rounds++) {
        expect(rounds).toBeLessThan(1_000);
        const messages = [...bench.state.orders.values()].flatMap(({ id, status }) => {
          if (status === 'queued') return [];
          const isGood = coin.next().value;
          if (status === 'payable') return [isGood ? bench.paid(id) : bench.unpaid(id)];
          if (status !== 'held') return [bench.compensated(id)];
          if (bench.stored.get(id)?.payment !== undefined && isGood) return [bench.paymentDue(id)];
          return [isGood ? bench.booked(id) : bench.refused(id)];
        });
        await bench.batch(...messages);
      }
      const { inventory, package: travelPackage } = bench.state;
      expect(inventory.held + inventory.waiting + inventory.cancelling).toBe(0);
      if (count(bench, 'rejected') > 0 && count(bench, 'cancelled') === 0) {
        expect(inventory.confirmed).toBe(travelPackage.quota);
      }
    }),
    { numRuns: 500 },
  );
});
