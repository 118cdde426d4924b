import { describe, expect, test, vi } from 'vitest';
import { supplierClientContract } from '../../test/contract/suppliers.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { memoryLedger } from '../../test/support/memory-ledger.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { simulatedSuppliers } from './simulated-suppliers.ts';

const willing = { flightFailureRate: 0, hotelFailureRate: 0, latencyMs: 0 };
const flight = { key: 'A', packageId: 1, flight: 'Flight-1', email: 'ana@example.com' };

supplierClientContract('the simulation itself', async (behaviour) => ({
  client: simulatedSuppliers({
    ...behaviour,
    ledger: memoryLedger(),
    random: systemRandom(),
    clock: systemClock,
  }),
  close: async () => {},
}));

test('refuses at the configured rate', async () => {
  const fractions = [0.29, 0.3, 0.31, 0.99, 0];
  const random = { bytes: systemRandom().bytes, fraction: () => fractions.shift() ?? 0 };
  const ledger = memoryLedger();
  const client = simulatedSuppliers({
    ...willing,
    flightFailureRate: 0.3,
    ledger,
    random,
    clock: systemClock,
  });
  const kinds: string[] = [];
  for (const key of ['A', 'B', 'C', 'D', 'E'])
    kinds.push((await client.reserveFlight({ ...flight, key })).kind);
  expect(kinds).toEqual(['refused', 'reserved', 'reserved', 'reserved', 'refused']);
});

test('numbers begin with the time, before random bits', async () => {
  const random = { bytes: (count: number) => new Uint8Array(count), fraction: () => 0 };
  const clock = { ...systemClock, now: () => 100 };
  const client = simulatedSuppliers({ ...willing, ledger: memoryLedger(), random, clock });
  expect(await client.reserveFlight(flight)).toEqual({ kind: 'reserved', number: 'F000G000000000000' });
});

test('takes the configured time; concurrent calls with one key share it', async () => {
  const wakers: (() => void)[] = [];
  const sleeps: number[] = [];
  const clock = {
    now: () => 0,
    monotonic: () => 0,
    sleep: (ms: number) => {
      sleeps.push(ms);
      return new Promise<void>((resolve) => wakers.push(resolve));
    },
  };
  const client = simulatedSuppliers({
    ...willing,
    latencyMs: 700,
    ledger: memoryLedger(),
    random: systemRandom(),
    clock,
  });
  const answers = [client.reserveFlight(flight), client.reserveFlight(flight)];
  expect(sleeps).toEqual([700]);
  for (const wake of wakers) wake();
  const [first, second] = await Promise.all(answers);
  expect(first).toEqual(second);
});

test('a failing ledger is an unknown outcome, not an answer', async () => {
  const ledger = {
    ...memoryLedger(),
    record: async () => {
      throw new Error('the disk is gone');
    },
  };
  const client = simulatedSuppliers({ ...willing, ledger, random: systemRandom(), clock: systemClock });
  await expect(client.reserveFlight(flight)).rejects.toThrow('the disk is gone');
  await expect(client.reserveFlight(flight, AbortSignal.timeout(5000))).rejects.toThrow('the disk is gone');
});

test('work that fails after its caller has gone causes no unhandled rejection', async () => {
  const failing = Promise.withResolvers<never>();
  const ledger = { ...memoryLedger(), record: () => failing.promise };
  const client = simulatedSuppliers({ ...willing, ledger, random: systemRandom(), clock: systemClock });
  const caller = new AbortController();
  const call = client.reserveFlight(flight, caller.signal);
  caller.abort();
  await expect(call).rejects.toThrow();
  // Vitest fails the run on an unhandled rejection.
  failing.reject(new Error('the disk is gone'));
  await new Promise((resolve) => setImmediate(resolve));
});

describe('the ticket of a hotel reservation', () => {
  const hotel = { key: 'A', packageId: 1, stay: '2030-05-01', email: 'ana@example.com' };

  function countingLookUps() {
    const clock = new ManualClock();
    const ledger = memoryLedger();
    const findByNumber = vi.spyOn(ledger, 'findByNumber');
    const client = simulatedSuppliers({ ...willing, ledger, random: systemRandom(), clock });
    const buyFlight = async () => {
      const answer = await client.reserveFlight(flight);
      return answer.kind === 'reserved' ? answer.number : '';
    };
    return { clock, client, findByNumber, buyFlight };
  }

  test('is not looked up if this process has just recorded it', async () => {
    const { client, findByNumber, buyFlight } = countingLookUps();
    const flightTicketNumber = await buyFlight();
    expect(await client.reserveHotel({ ...hotel, flightTicketNumber })).toMatchObject({ kind: 'reserved' });
    expect(findByNumber).not.toHaveBeenCalled();
  });

  test.each<[string, { afterMs?: number; times?: number; key?: string }]>([
    ['older than two seconds', { afterMs: 2_000 }],
    ['used a second time', { times: 2 }],
    ['of another key', { key: 'B' }],
  ])('is looked up if it is %s', async (_, { afterMs = 0, times = 1, key = 'A' }) => {
    const { clock, client, findByNumber, buyFlight } = countingLookUps();
    const flightTicketNumber = await buyFlight();
    await clock.advance(afterMs);
    for (let time = 0; time < times; time++) {
      const answer = await client.reserveHotel({ ...hotel, key, flightTicketNumber });
      expect(answer).toMatchObject({ kind: 'reserved' });
    }
    expect(findByNumber).toHaveBeenCalledTimes(1);
  });

  test('Q8 is invalid once it is cancelled, and if another one is given', async () => {
    const { client, buyFlight } = countingLookUps();
    const invalid = { kind: 'refused', code: 'invalid_ticket' };
    const flightTicketNumber = await buyFlight();
    await client.cancel('flights', 'A');
    expect(await client.reserveHotel({ ...hotel, flightTicketNumber })).toEqual(invalid);
    await client.reserveFlight({ ...flight, key: 'B' });
    expect(await client.reserveHotel({ ...hotel, key: 'B', flightTicketNumber: 'F-other' })).toEqual(invalid);
  });
});
