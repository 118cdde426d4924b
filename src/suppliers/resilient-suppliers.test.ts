import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  type SupplierCall,
  type SupplierFault,
  startFaultySupplier,
  supplierFaults,
} from '../../test/support/faulty-supplier.ts';
import type { AbortState } from '../lib/abort.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { silentLog } from '../observability/log.ts';
import { httpSuppliers } from './http-suppliers.ts';
import { type ResilientOptions, resilientSuppliers } from './resilient-suppliers.ts';
import type { SupplierAnswer, SupplierClient } from './suppliers.ts';

const never = new AbortController().signal;
const fast = {
  timeoutMs: 300,
  retryAfterMs: 5,
  retryAfterMaxMs: 20,
  reopenAfterMs: 30,
  reopenAfterMaxMs: 60,
};
const order = (key: string, packageId = 1) => ({ key, packageId });
const flight = (key: string, packageId = 1) => ({
  ...order(key, packageId),
  flight: 'Flight-1',
  email: 'ana@example.com',
});
const hotel = (key: string, flightTicketNumber: string) => ({
  key,
  packageId: 1,
  stay: '2022-08-09',
  email: 'ana@example.com',
  flightTicketNumber,
});

let stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops) await stop();
  stops = [];
});

function resilient(client: SupplierClient, options: Partial<ResilientOptions> = {}) {
  const suppliers = resilientSuppliers({
    client,
    clock: systemClock,
    random: systemRandom(),
    log: silentLog,
    ...fast,
    ...options,
  });
  stops.push(() => suppliers.close());
  return suppliers;
}

/** A client of a real server that fails on command. */
async function against(
  fault: (call: SupplierCall) => SupplierFault | undefined,
  options: Partial<ResilientOptions> = {},
) {
  const supplier = await startFaultySupplier({ fault });
  stops.push(supplier.stop);
  return { supplier, suppliers: resilient(httpSuppliers({ url: supplier.url }), options) };
}

/** A client whose every call is answered by a function. */
function clientOf(reserveFlight: SupplierClient['reserveFlight']): SupplierClient {
  const unused = () => Promise.reject(new Error('not used'));
  return { reserveFlight, reserveHotel: unused, cancel: unused, ledger: unused };
}

const reserved: SupplierAnswer = { kind: 'reserved', number: 'F1' };

describe('Q8 a call with an unknown outcome is repeated with the same key', () => {
  test.each([
    ['hangs', supplierFaults.hang],
    ['books but never answers', supplierFaults.doneWithoutReply],
    ['answers 500', supplierFaults.error500],
    ['books but answers 500', supplierFaults.doneBut500],
    ['cuts the connection in mid-body', supplierFaults.cutMidBody],
    ['answers after the time-out', supplierFaults.answerLate(700)],
    ['books after the time-out', supplierFaults.workLate(350)],
    ['answers broken JSON', supplierFaults.garbage],
    ['answers HTML', supplierFaults.wrongContentType],
    ['answers 201 without a number', supplierFaults.withoutNumber],
    ['answers without end', supplierFaults.oversized],
  ] as const)('when the supplier %s', async (_name, fault) => {
    const { supplier, suppliers } = await against(({ nth }) => (nth <= 2 ? fault : undefined));
    const ticket = await suppliers.reserveFlight(flight('A'), never);
    expect(ticket).toMatchObject({ kind: 'reserved' });
    const { number } = ticket as { number: string };
    const room = await suppliers.reserveHotel(hotel('A', number), never);
    expect(room).toMatchObject({ kind: 'reserved' });
    expect(supplier.calls).toHaveLength(6);
    expect(new Set(supplier.calls.map(({ key }) => key))).toEqual(new Set(['A']));
    expect(await supplier.ledger()).toEqual({
      flights: [{ key: 'A', number, status: 'active' }],
      hotels: [{ key: 'A', number: (room as { number: string }).number, status: 'active' }],
    });
    expect(suppliers.available(1)).toBe(true);
  });

  test('at most five times, then it ends as unknown with the cause', async () => {
    const warn = vi.fn();
    const log = { ...silentLog, warn };
    const { supplier, suppliers } = await against(() => supplierFaults.doneBut500, { log });
    expect(await suppliers.reserveFlight(flight('A'), never)).toEqual({
      kind: 'unknown',
      cause: expect.stringContaining('status 500'),
    });
    expect(supplier.calls).toHaveLength(5);
    expect(warn).toHaveBeenCalledOnce();
    expect(JSON.stringify(warn.mock.calls)).not.toContain('ana');
    expect((await supplier.ledger()).flights).toMatchObject([{ key: 'A', status: 'active' }]);
  });

  test('after a timeout, and the cause names the timeout', async () => {
    const { suppliers } = await against(() => supplierFaults.hang, { attempts: 1 });
    const answer = await suppliers.reserveFlight(flight('A'), never);
    expect(answer).toEqual({ kind: 'unknown', cause: 'no answer within 300 ms' });
  });
});

test.each([
  ['an attempt', { attempts: 5, failuresToOpen: 10 }],
  ['a probe', { attempts: 1, failuresToOpen: 1 }],
])('Q8 a refusal says so if %s of the same call had an unknown outcome', async (_, options) => {
  const answers = [...(options.attempts === 1 ? ['opens', 'probes'] : ['silence']), undefined, undefined];
  const client = clientOf(async () => {
    const cause = answers.shift();
    if (cause !== undefined) throw new Error(cause);
    return { kind: 'refused', code: 'flight_unavailable' };
  });
  const suppliers = resilient(client, options);
  if (options.attempts === 1) await suppliers.reserveFlight(flight('Opener'), never);
  const refusal = { kind: 'refused', code: 'flight_unavailable' };
  expect(await suppliers.reserveFlight(flight('A'), never)).toEqual({ ...refusal, afterUnknown: true });
  expect(await suppliers.reserveFlight(flight('B'), never)).toEqual(refusal);
});

test('a refusal is not repeated and does not open the breaker', async () => {
  const { supplier, suppliers } = await against(() => supplierFaults.refuse, { failuresToOpen: 2 });
  for (const key of ['A', 'B', 'C', 'D']) {
    expect(await suppliers.reserveFlight(flight(key), never)).toEqual({
      kind: 'refused',
      code: 'flight_unavailable',
    });
    expect(await suppliers.reserveHotel(hotel(key, 'F0'), never)).toMatchObject({ code: 'invalid_ticket' });
  }
  expect(supplier.calls).toHaveLength(8);
  expect(suppliers.available(1)).toBe(true);
});

test('the timeout ends an attempt, also if the client ignores its signal', async () => {
  const signals: AbortState[] = [];
  const suppliers = resilient(
    clientOf((_request, signal) => {
      signals.push(signal as AbortState);
      return signals.length === 1 ? new Promise(() => {}) : Promise.resolve(reserved);
    }),
  );
  expect(await suppliers.reserveFlight(flight('A'), never)).toEqual(reserved);
  expect(signals[0]?.aborted).toBe(true);
});

test('an answer after the timeout is ignored', async () => {
  const late = Promise.withResolvers<SupplierAnswer>();
  let asked = 0;
  const suppliers = resilient(
    clientOf(() => {
      asked += 1;
      if (asked === 1) return late.promise;
      late.reject(new Error('too late'));
      return Promise.resolve(reserved);
    }),
  );
  expect(await suppliers.reserveFlight(flight('A'), never)).toEqual(reserved);
  expect(asked).toBe(2);
});

describe('stopping a call', () => {
  test.each(['a supplier that hangs', 'a pause between attempts', 'an open breaker'])(
    'does not wait for %s',
    async (what) => {
      const hangs = what === 'a supplier that hangs';
      const { supplier, suppliers } = await against(
        () => (hangs ? supplierFaults.hang : supplierFaults.error500),
        {
          timeoutMs: 60_000,
          retryAfterMs: what === 'a pause between attempts' ? 60_000 : 1,
          retryAfterMaxMs: 60_000,
          reopenAfterMs: 60_000,
          ...(what === 'an open breaker' ? { failuresToOpen: 1 } : {}),
        },
      );
      const owner = new AbortController();
      const call = suppliers.reserveFlight(flight('A'), owner.signal);
      await expect.poll(() => supplier.calls.length).toBe(1);
      if (what === 'an open breaker') await expect.poll(() => suppliers.available(1)).toBe(false);
      owner.abort();
      expect(await call).toEqual({ kind: 'unknown', cause: 'stopped' });
    },
  );

  test('before it begins makes no attempt', async () => {
    const { supplier, suppliers } = await against(() => undefined);
    const stopped = AbortSignal.abort();
    expect(await suppliers.reserveFlight(flight('A'), stopped)).toEqual({
      kind: 'unknown',
      cause: 'stopped',
    });
    expect(await suppliers.cancel('flights', order('A'), stopped)).toBe(false);
    expect(supplier.calls).toEqual([]);
  });

  test('does not open the breaker, however many calls are stopped', async () => {
    const { supplier, suppliers } = await against(() => supplierFaults.hang, {
      timeoutMs: 60_000,
      failuresToOpen: 2,
    });
    const owner = new AbortController();
    const calls = ['A', 'B', 'C', 'D'].map((key) => suppliers.reserveFlight(flight(key), owner.signal));
    await expect.poll(() => supplier.calls.length).toBe(4);
    owner.abort();
    await Promise.all(calls);
    expect(suppliers.available(1)).toBe(true);
  });
});

describe('the breaker', () => {
  test('makes calls wait instead of failing, and tells listeners', async () => {
    let down = true;
    const { supplier, suppliers } = await against(() => (down ? supplierFaults.error500 : undefined), {
      failuresToOpen: 6,
    });
    const told: boolean[] = [];
    const stop = suppliers.onAvailability((_, available) => told.push(available));
    const calls = Array.from({ length: 8 }, (_, each) => suppliers.reserveFlight(flight(`K${each}`), never));
    await expect.poll(() => suppliers.available(1)).toBe(false);
    // Failed probes must not count as attempts of the calls.
    const before = supplier.calls.length;
    await expect.poll(() => supplier.calls.length).toBeGreaterThan(before + 6);
    down = false;
    for (const answer of await Promise.all(calls)) expect(answer).toMatchObject({ kind: 'reserved' });
    expect(suppliers.available(1)).toBe(true);
    expect(told[0]).toBe(false);
    expect(told.at(-1)).toBe(true);
    stop();
    expect((await supplier.ledger()).flights).toHaveLength(8);
  });

  test('is not opened by one order alone', async () => {
    const { suppliers } = await against(({ key }) => (key === 'bad' ? supplierFaults.error500 : undefined));
    expect(await suppliers.reserveFlight(flight('bad'), never)).toMatchObject({ kind: 'unknown' });
    expect(suppliers.available(1)).toBe(true);
    expect(await suppliers.reserveFlight(flight('good'), never)).toMatchObject({ kind: 'reserved' });
  });

  test('of one kind of supplier does not affect the other kind', async () => {
    const { supplier, suppliers } = await against(
      ({ kind }) => (kind === 'hotels' ? supplierFaults.error500 : undefined),
      {
        failuresToOpen: 2,
        reopenAfterMs: 60_000,
      },
    );
    const owner = new AbortController();
    const ticket = (await suppliers.reserveFlight(flight('A'), never)) as { number: string };
    const room = suppliers.reserveHotel(hotel('A', ticket.number), owner.signal);
    await expect.poll(() => suppliers.available(1)).toBe(false);
    expect(await suppliers.reserveFlight(flight('B'), never)).toMatchObject({ kind: 'reserved' });
    expect(supplier.calls.filter(({ kind }) => kind === 'hotels')).toHaveLength(2);
    owner.abort();
    expect(await room).toMatchObject({ kind: 'unknown' });
  });

  test('lets a new call probe when no call waits', async () => {
    let down = true;
    const { suppliers } = await against(() => (down ? supplierFaults.error500 : undefined), {
      failuresToOpen: 1,
      attempts: 1,
    });
    expect(await suppliers.reserveFlight(flight('A'), never)).toMatchObject({ kind: 'unknown' });
    expect(suppliers.available(1)).toBe(false);
    await expect.poll(() => suppliers.available(1)).toBe(true);
    down = false;
    expect(await suppliers.reserveFlight(flight('B'), never)).toMatchObject({ kind: 'reserved' });
    expect(suppliers.available(1)).toBe(true);
  });

  test('ends a waiting call as unknown some time after its first unknown outcome', async () => {
    const { suppliers } = await against(() => supplierFaults.error500, {
      failuresToOpen: 2,
      giveUpAfterMs: 150,
    });
    const answer = await suppliers.reserveFlight(flight('A'), never);
    expect(answer).toEqual({ kind: 'unknown', cause: 'no definite answer for 150 ms' });
  });

  test('is not kept open by one key that the supplier cannot process', async () => {
    const { suppliers } = await against(
      ({ key }) => (key.startsWith('bad') ? supplierFaults.error500 : undefined),
      {
        failuresToOpen: 4,
        giveUpAfterMs: 20_000,
        reopenAfterMaxMs: 40,
      },
    );
    const owner = new AbortController();
    const bad = ['bad1', 'bad2', 'bad3'].map((key) => suppliers.reserveFlight(flight(key), owner.signal));
    await expect.poll(() => suppliers.available(1)).toBe(false);
    const good = await Promise.all(['A', 'B', 'C'].map((key) => suppliers.reserveFlight(flight(key), never)));
    expect(good.map(({ kind }) => kind)).toEqual(['reserved', 'reserved', 'reserved']);
    owner.abort();
    await Promise.all(bad);
  });

  test('calls the other listeners when one throws', async () => {
    const error = vi.fn();
    const { suppliers } = await against(() => supplierFaults.error500, {
      failuresToOpen: 1,
      attempts: 1,
      log: { ...silentLog, error },
    });
    const heard = vi.fn();
    suppliers.onAvailability(() => {
      throw new Error('mine');
    });
    suppliers.onAvailability(heard);
    expect(await suppliers.reserveFlight(flight('A'), never)).toMatchObject({ kind: 'unknown' });
    expect(heard).toHaveBeenCalledWith(1, false);
    expect(error).toHaveBeenCalledOnce();
  });
});

describe('a cancel', () => {
  test.each([
    ['hangs', supplierFaults.hang],
    ['answers 500', supplierFaults.error500],
    ['cuts the connection', supplierFaults.cutMidBody],
    ['answers too late', supplierFaults.answerLate(700)],
  ] as const)('is tried once, and returns false when the supplier %s', async (_name, fault) => {
    const warn = vi.fn();
    const { supplier, suppliers } = await against(
      ({ operation, nth }) => (operation === 'cancel' && nth === 1 ? fault : undefined),
      { log: { ...silentLog, warn } },
    );
    await suppliers.reserveFlight(flight('A'), never);
    expect(await suppliers.cancel('flights', order('A'), never)).toBe(false);
    expect(supplier.calls).toHaveLength(2);
    expect(warn).toHaveBeenCalledOnce();
    expect(await suppliers.cancel('flights', order('A'), never)).toBe(true);
    expect((await supplier.ledger()).flights).toMatchObject([{ key: 'A', status: 'cancelled' }]);
    expect(suppliers.available(1)).toBe(true);
  });

  test('does not wait for an open breaker', async () => {
    const { suppliers } = await against(
      ({ operation }) => (operation === 'reserve' ? supplierFaults.error500 : undefined),
      {
        failuresToOpen: 1,
        attempts: 1,
        reopenAfterMs: 60_000,
      },
    );
    await suppliers.reserveFlight(flight('A'), never);
    expect(suppliers.available(1)).toBe(false);
    expect(await suppliers.cancel('flights', order('A'), never)).toBe(true);
  });
});

describe('Q12 packages are isolated', () => {
  test('the breaker of a package whose flight fails does not affect another package', async () => {
    const { supplier, suppliers } = await against(
      ({ body }) => (body.packageId === 1 ? supplierFaults.error500 : undefined),
      { failuresToOpen: 2, reopenAfterMs: 60_000 },
    );
    const told: unknown[] = [];
    suppliers.onAvailability((packageId, available) => told.push([packageId, available]));
    const owner = new AbortController();
    const waiting = suppliers.reserveFlight(flight('A'), owner.signal);
    await expect.poll(() => suppliers.available(1)).toBe(false);
    expect([suppliers.available(2), suppliers.isMostlyAvailable]).toEqual([true, false]);
    expect(await suppliers.reserveFlight(flight('B', 2), never)).toMatchObject({ kind: 'reserved' });
    expect([told, suppliers.isMostlyAvailable]).toEqual([[[1, false]], true]);
    const retried = suppliers.reserveFlight(flight('C'), owner.signal, true);
    await expect.poll(() => supplier.calls.some(({ key }) => key === 'C')).toBe(true);
    owner.abort();
    await Promise.all([waiting, retried]);
  });

  test('calls that hang leave a half of the slots, and a call that waits has none', async () => {
    const calls: string[] = [];
    const suppliers = resilient(
      clientOf(({ key, packageId }) => {
        calls.push(key);
        return packageId === 2 ? Promise.resolve(reserved) : new Promise(() => {});
      }),
      { timeoutMs: 60_000 },
    );
    const owner = new AbortController();
    const hanging = Array.from({ length: 2_000 }, (_, each) =>
      suppliers.reserveFlight(flight(`A${each}`), owner.signal),
    );
    await expect.poll(() => calls.length).toBe(512);
    expect(await suppliers.reserveFlight(flight('B', 2), never)).toEqual(reserved);
    owner.abort();
    await Promise.all(hanging);
    expect(calls).toHaveLength(513);
  });

  test('a call between two attempts has no slot', async () => {
    const calls = new Set<string>();
    const suppliers = resilient(
      clientOf(({ key }) => {
        calls.add(key);
        return Promise.reject(new Error('no answer'));
      }),
      { retryAfterMs: 60_000, retryAfterMaxMs: 60_000, failuresToOpen: 10_000 },
    );
    const owner = new AbortController();
    const all = Array.from({ length: 2_000 }, (_, each) =>
      suppliers.reserveFlight(flight(`A${each}`), owner.signal),
    );
    await expect.poll(() => calls.size).toBe(2_000);
    owner.abort();
    await Promise.all(all);
  });

  test('cancels that hang leave slots to another package, and to an urgent one', async () => {
    const calls: string[] = [];
    const client = clientOf(async () => reserved);
    const suppliers = resilient(
      {
        ...client,
        cancel: (_, key) => {
          calls.push(key);
          return key.startsWith('A') ? new Promise(() => {}) : Promise.resolve();
        },
      },
      { timeoutMs: 60_000 },
    );
    const owner = new AbortController();
    const hanging = Array.from({ length: 2_000 }, (_, each) =>
      suppliers.cancel('flights', order(`A${each}`), owner.signal),
    );
    await expect.poll(() => calls.length).toBe(512);
    expect(await suppliers.cancel('flights', order('B', 2), never)).toBe(true);
    expect(await suppliers.cancel('flights', order('C'), never, true)).toBe(true);
    owner.abort();
    await Promise.all(hanging);
    expect(calls).toHaveLength(514);
  });
});

test('many calls with one signal leave no listeners on it', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  const owner = new AbortController();
  const add = vi.spyOn(owner.signal, 'addEventListener');
  const remove = vi.spyOn(owner.signal, 'removeEventListener');
  const suppliers = resilient(clientOf(async () => reserved));
  await Promise.all(
    Array.from({ length: 200 }, (_, each) => suppliers.reserveFlight(flight(`K${each}`), owner.signal)),
  );
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
  expect(remove.mock.calls.length).toBeGreaterThanOrEqual(add.mock.calls.length);
});
