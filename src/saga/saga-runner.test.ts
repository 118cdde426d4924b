import { beforeEach, describe, expect, it } from 'vitest';
import { fakeOrder } from '../../test/support/fake-engine.ts';
import { ManualClock, runUntilIdle } from '../../test/support/manual-clock.ts';
import { ScriptedSuppliers } from '../../test/support/scripted-suppliers.ts';
import type { PackageMessage } from '../domain/messages.ts';
import { abortSignalOf } from '../lib/abort.ts';
import { silentLog } from '../observability/log.ts';
import { type Metrics, noMetrics } from '../observability/metrics.ts';
import type { CallOutcome, Suppliers } from '../suppliers/suppliers.ts';
import { Pacing } from './saga.ts';
import { ActivationSagas, SagaRunner } from './saga-runner.ts';

const order = fakeOrder({ status: 'held' });
const compensating = fakeOrder({ status: 'compensating' });

describe('ActivationSagas', () => {
  let clock: ManualClock;
  let suppliers: ScriptedSuppliers;
  let ended: AbortController;
  let reported: PackageMessage[];
  let runner: SagaRunner;
  let sagas: ActivationSagas;
  beforeEach(() => {
    clock = new ManualClock();
    suppliers = new ScriptedSuppliers();
    ended = new AbortController();
    reported = [];
    runner = new SagaRunner({ suppliers, clock });
    const notify = (_: number, message: PackageMessage) => void reported.push(message);
    sagas = new ActivationSagas({ runner, clock, log: silentLog, notify }, 3, ended.signal);
  });

  it('reports the result with the epoch', async () => {
    sagas.start('book', order);
    await runUntilIdle();
    expect(runner.count).toBe(1);
    suppliers.answerFlight();
    await runUntilIdle();
    expect(reported).toMatchObject([{ kind: 'booked', orderId: order.id, epoch: 3 }]);
    expect(runner.count).toBe(0);
  });

  it('Q8 restarts a saga with the same key, and the former saga reports nothing more', async () => {
    sagas.start('book', order);
    await clock.advance(5_000);
    const [former] = suppliers.flights;
    sagas.retry(order);
    await runUntilIdle();
    expect(suppliers.flightKeys).toEqual([order.id, order.id]);
    former?.resolve({ kind: 'reserved', number: 'F-late' });
    await runUntilIdle();
    expect(reported).toEqual([]);
    suppliers.flights.at(-1)?.resolve({ kind: 'reserved', number: 'F-2' });
    await runUntilIdle();
    expect(reported).toMatchObject([{ kind: 'booked', reserved: { flight: { ticketNumber: 'F-2' } } }]);
  });

  it('does not restart a saga that has just begun', async () => {
    sagas.start('book', order);
    for (let each = 0; each < 3; each++) {
      await clock.advance(500);
      sagas.retry(order);
    }
    await runUntilIdle();
    expect(suppliers.flightKeys).toEqual([order.id]);
  });

  it('Q11 looks a payment up again at once, even if the look-ups have just begun', async () => {
    const payment = { amount: 1, currency: 'EUR', url: 'https://pay.example/1', payBy: clock.now() + 60_000 };
    const payable = fakeOrder({ status: 'payable', payment });
    sagas.start('awaitPayment', payable);
    await runUntilIdle();
    suppliers.paymentFound = 'paid';
    expect(reported).toEqual([]);
    sagas.retry(payable);
    await clock.advance(500);
    expect(suppliers.paymentLookUps).toBe(2);
    expect(reported).toMatchObject([{ kind: 'paid', orderId: order.id, epoch: 3 }]);
  });

  it('Q11 lets a payment expire although somebody asks all the time whether it was made', async () => {
    const payment = { amount: 1, currency: 'EUR', url: 'https://pay.example/1', payBy: clock.now() + 5_000 };
    const payable = fakeOrder({ status: 'payable', payment });
    let lookUps = 0;
    suppliers.findPayment = async (_, signal) => {
      lookUps += 1;
      await clock.sleep(200, abortSignalOf(signal));
      return signal.aborted ? 'unknown' : 'due';
    };
    sagas.start('awaitPayment', payable);
    for (let ms = 0; ms < 6_000; ms += 50) {
      await clock.advance(50);
      if (reported.length === 0) sagas.retry(payable);
    }
    expect(reported).toMatchObject([{ kind: 'unpaid', reason: 'payment_expired' }]);
    expect(lookUps).toBeLessThan(15);
  });

  it('Q11 measures how long a payment is overdue while the provider does not say whether it was made', async () => {
    let overdueS: () => unknown = () => undefined;
    const gauge: Metrics['gauge'] = (name, read) => {
      if (name === 'payment_overdue_seconds') overdueS = read;
    };
    runner = new SagaRunner({ suppliers, clock, metrics: { ...noMetrics, gauge } });
    sagas = new ActivationSagas({ runner, clock, log: silentLog, notify: () => {} }, 3, ended.signal);
    const payment = { amount: 1, currency: 'EUR', url: 'https://pay.example/1', payBy: clock.now() + 60_000 };
    suppliers.paymentFound = 'unknown';
    sagas.start('awaitPayment', fakeOrder({ status: 'payable', payment }));
    sagas.start('awaitPayment', fakeOrder({ id: 'other', status: 'payable', payment: { ...payment } }));
    await clock.advance(60_000);
    expect(overdueS()).toBe(0);
    await clock.advance(90_000);
    expect(overdueS()).toBe(90);
    suppliers.paymentFound = 'paid';
    await clock.advance(30_000);
    expect(overdueS()).toBe(0);
  });

  it('restarts a compensation that waits for its next attempt', async () => {
    let isAway = true;
    suppliers.cancel = async (kind, { key }) => {
      suppliers.cancelled.push({ kind, key });
      return !isAway;
    };
    sagas.start('compensate', compensating);
    await clock.advance(20_000);
    const before = suppliers.cancelled.length;
    isAway = false;
    await runUntilIdle();
    expect(suppliers.cancelled).toHaveLength(before);
    sagas.retry(compensating);
    await runUntilIdle();
    expect(reported).toMatchObject([{ kind: 'compensated', orderId: compensating.id }]);
  });

  it('Q8 a retry only delivers a result again that waits for its commit', async () => {
    sagas.start('book', order);
    await clock.advance(5_000);
    suppliers.answerFlight({ kind: 'unknown', cause: 'time-out' });
    await runUntilIdle();
    expect(reported).toMatchObject([{ kind: 'needsCompensation' }]);
    sagas.retry(order);
    await runUntilIdle();
    expect(suppliers.flightKeys).toEqual([order.id]);
    expect(reported[1]).toEqual(reported[0]);
    sagas.start('compensate', compensating);
    sagas.retry(compensating);
    await runUntilIdle();
    expect(reported.slice(2)).toMatchObject([{ kind: 'compensated' }]);
  });

  it('Q8 a saga begins only after the former one of its order has been stopped and has ended', async () => {
    const answer = Promise.withResolvers<CallOutcome>();
    suppliers.reserveFlight = () => answer.promise;
    suppliers.reserveHotel = () => expect.unreachable();
    sagas.start('book', order);
    await clock.advance(5_000);
    sagas.start('compensate', compensating);
    await runUntilIdle();
    expect(suppliers.cancelled).toEqual([]);
    answer.resolve({ kind: 'reserved', number: 'F-late' });
    await runUntilIdle();
    expect(suppliers.cancelled).toHaveLength(2);
    expect(reported).toMatchObject([{ kind: 'compensated' }]);
  });

  it('Q8 only the saga that follows a claim ends a refused order without a cancellation', async () => {
    const refused = { kind: 'refused', code: 'flight_unavailable' } as const;
    sagas.start('book', order);
    await runUntilIdle();
    suppliers.answerFlight(refused);
    await runUntilIdle();
    sagas.forget(order.id);
    sagas.resume(order);
    await clock.advance(5_000);
    suppliers.answerFlight(refused);
    await runUntilIdle();
    expect(reported.map(({ kind }) => kind)).toEqual(['refused', 'needsCompensation']);
  });

  it('Q12 tries all compensations at once, however many wait for their next attempt', async () => {
    const tried = new Set<string>();
    suppliers.cancel = async (_, { key }) => {
      tried.add(key);
      return false;
    };
    for (let each = 0; each < 600; each++)
      sagas.start('compensate', { ...compensating, id: `order-${each}` });
    await runUntilIdle();
    expect(tried.size).toBe(600);
    ended.abort();
  });

  it('Q12 makes only the first cancel of a restarted compensation urgent', async () => {
    const urgent: (boolean | undefined)[] = [];
    const cancel: Suppliers['cancel'] = async (kind, _request, _signal, isUrgent) => {
      if (kind === 'flights') urgent.push(isUrgent);
      return false;
    };
    Object.assign(suppliers, { cancel });
    sagas.start('compensate', compensating);
    await clock.advance(5_000);
    const before = urgent.length;
    sagas.retry(compensating);
    await clock.advance(5_000);
    expect(urgent.slice(0, before)).not.toContain(true);
    expect(urgent.slice(before)).toEqual([true, ...urgent.slice(before + 1).map(() => false)]);
    expect(urgent.length).toBeGreaterThan(before + 1);
  });

  it('starts a saga on retry if none is running', async () => {
    sagas.retry(order);
    await runUntilIdle();
    expect(suppliers.flightKeys).toEqual([order.id]);
  });

  it('Q9 stops all sagas when the activation ends, and starts no further sagas', async () => {
    sagas.start('book', order);
    await clock.advance(5_000);
    sagas.retry(order);
    await runUntilIdle();
    ended.abort('ended');
    for (const question of suppliers.flights) question.resolve({ kind: 'reserved', number: 'F' });
    sagas.retry(order);
    await clock.advance(60_000);
    expect(reported).toEqual([]);
    expect(suppliers.flightKeys).toHaveLength(2);
    expect(runner.count).toBe(0);
  });
});

describe('Q12 Pacing', () => {
  /** The lengths of the pauses that begin now, in ms. They do not end. */
  function pauses(pacing: Pacing, packageId: number, count: number): number[] {
    const lengths: number[] = [];
    for (let each = 0; each < count; each++) {
      void pacing.during(packageId, (paceMs) => {
        lengths.push(paceMs);
        return new Promise(() => {});
      });
    }
    return lengths;
  }

  it('spreads the cancels of a package that has thousands to repeat, and does not slow down another package', () => {
    const pacing = new Pacing(500);
    expect(pauses(pacing, 1, 10_000).at(-1)).toBe(20_000);
    expect(pauses(pacing, 2, 1)).toEqual([4]);
  });

  it('gives each package the same share', () => {
    const pacing = new Pacing(500);
    for (let packageId = 1; packageId < 500; packageId++) pauses(pacing, packageId, 3);
    expect(pauses(pacing, 500, 3)).toEqual([1_000, 2_000, 3_000]);
  });

  it('gives a crowded package what the others leave', () => {
    const pacing = new Pacing(500);
    for (let packageId = 1; packageId < 500; packageId++) pauses(pacing, packageId, 1);
    expect(pauses(pacing, 500, 3)).toEqual([1_000, 1_002, 1_004]);
  });

  it('returns what the pause returns', async () => {
    expect(await new Pacing(500).during(1, async () => 'woken')).toBe('woken');
  });

  it('does not count pauses that have ended', async () => {
    const pacing = new Pacing(500);
    for (let each = 0; each < 10; each++) await pacing.during(each, async () => {});
    expect(pauses(pacing, 1, 1)).toEqual([2]);
  });
});
