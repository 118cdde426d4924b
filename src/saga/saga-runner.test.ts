import { beforeEach, describe, expect, it } from 'vitest';
import { fakeOrder } from '../../test/support/fake-engine.ts';
import { ManualClock, runUntilIdle } from '../../test/support/manual-clock.ts';
import { ScriptedSuppliers } from '../../test/support/scripted-suppliers.ts';
import type { PackageMessage } from '../domain/messages.ts';
import { silentLog } from '../observability/log.ts';
import { ActivationSagas, SagaRunner } from './saga.ts';

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

  it('restarts a compensation that waits for its next attempt', async () => {
    let isAway = true;
    suppliers.cancel = async (kind, key) => {
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
