import { beforeEach, describe, expect, it } from 'vitest';
import { fakeOrder } from '../../test/support/fake-engine.ts';
import { ManualClock, runUntilIdle } from '../../test/support/manual-clock.ts';
import { ScriptedSuppliers } from '../../test/support/scripted-suppliers.ts';
import type { PackageMessage } from '../domain/messages.ts';
import { silentLog } from '../observability/log.ts';
import { ActivationSagas, SagaSlots } from './activation-sagas.ts';

const order = fakeOrder({ status: 'held' });
const compensating = fakeOrder({ status: 'compensating' });

describe('Sagas', () => {
  let clock: ManualClock;
  let suppliers: ScriptedSuppliers;
  let ended: AbortController;
  let said: PackageMessage[];
  let turns: SagaSlots;
  let sagas: ActivationSagas;
  beforeEach(() => {
    clock = new ManualClock();
    suppliers = new ScriptedSuppliers();
    ended = new AbortController();
    said = [];
    turns = new SagaSlots();
    const notify = (_: number, message: PackageMessage) => void said.push(message);
    sagas = new ActivationSagas({ suppliers, clock, log: silentLog, notify }, turns, 3, ended.signal);
  });

  it('brings what became of one back under its epoch', async () => {
    sagas.start('book', order);
    await runUntilIdle();
    expect(turns.count).toBe(1);
    suppliers.answerFlight();
    await runUntilIdle();
    expect(said).toMatchObject([{ kind: 'booked', orderId: order.id, epoch: 3 }]);
    expect(turns.count).toBe(0);
  });

  it('Q8 begins one anew under the same key; of the former nothing more is heard', async () => {
    sagas.start('book', order);
    await clock.advance(5_000);
    const [former] = suppliers.flights;
    sagas.retry(order);
    await runUntilIdle();
    expect(suppliers.flightKeys).toEqual([order.id, order.id]);
    former?.resolve({ kind: 'reserved', number: 'F-late' });
    await runUntilIdle();
    expect(said).toEqual([]);
    suppliers.flights.at(-1)?.resolve({ kind: 'reserved', number: 'F-2' });
    await runUntilIdle();
    expect(said).toMatchObject([{ kind: 'booked', ticketNumber: 'F-2' }]);
  });

  it('leaves one alone that has just begun, however often it is asked', async () => {
    sagas.start('book', order);
    for (let each = 0; each < 3; each++) {
      await clock.advance(500);
      sagas.retry(order);
    }
    await runUntilIdle();
    expect(suppliers.flightKeys).toEqual([order.id]);
  });

  it('wakes a cancel that sleeps between its attempts', async () => {
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
    expect(said).toMatchObject([{ kind: 'compensated', orderId: compensating.id }]);
  });

  it('begins one where none runs', async () => {
    sagas.retry(order);
    await runUntilIdle();
    expect(suppliers.flightKeys).toEqual([order.id]);
  });

  it('Q9 stops all of them with the activation, those begun anew too', async () => {
    sagas.start('book', order);
    await clock.advance(5_000);
    sagas.retry(order);
    await runUntilIdle();
    ended.abort('ended');
    for (const question of suppliers.flights) question.resolve({ kind: 'reserved', number: 'F' });
    sagas.retry(order);
    await clock.advance(60_000);
    expect(said).toEqual([]);
    expect(suppliers.flightKeys).toHaveLength(2);
    expect(turns.count).toBe(0);
  });
});
