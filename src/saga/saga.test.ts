import { describe, expect, test, vi } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import type { SagaResult } from '../domain/messages.ts';
import type { Order } from '../domain/order.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { CallOutcome, PaymentFound, Suppliers } from '../suppliers/suppliers.ts';
import { awaitPayment, bookOrder, compensateOrder, type SagaOptions, SagaPacing } from './saga.ts';

const order: Order = {
  id: '7Q4M-9XKD-2VBN-H5TR',
  packageId: 3,
  number: 1,
  package: { flight: 'Flight-3', stay: '2022-08-10', price: 100 },
  email: 'a@example.com',
  status: 'held',
  createdAt: 1,
  timeline: [{ at: 1, event: 'claimed' }],
};

type Reply = CallOutcome;
const ticket: Reply = { kind: 'reserved', number: 'F1' };
const room: Reply = { kind: 'reserved', number: 'H1' };
const page: Reply = { kind: 'reserved', number: 'https://pay.example/1' };
const unknown: Reply = { kind: 'unknown', cause: 'time-out' };
const refused = (
  code: 'flight_unavailable' | 'hotel_unavailable' | 'invalid_ticket' | 'cancelled',
): Reply => ({
  kind: 'refused',
  code,
});

function suppliersThat(flight: Reply | Promise<Reply>, hotel: Reply | Promise<Reply> = room) {
  const suppliers = {
    reserveFlight: vi.fn(async () => flight),
    reserveHotel: vi.fn(async () => hotel),
    requestPayment: vi.fn<Suppliers['requestPayment']>(async () => page),
    findPayment: vi.fn<Suppliers['findPayment']>(async () => 'due'),
    cancel: vi.fn<Suppliers['cancel']>(async () => true),
    available: () => true,
    isMostlyAvailable: true,
    onAvailability: () => () => {},
  };
  return suppliers satisfies Suppliers;
}

async function run(
  suppliers: Suppliers,
  what: typeof bookOrder,
  subject = order,
  isFirst = true,
  clock: Clock = systemClock,
  pacing = new SagaPacing(),
) {
  const results: SagaResult[] = [];
  const events: string[] = [];
  const stop = new AbortController();
  const options: SagaOptions = {
    suppliers,
    clock,
    signal: stop.signal,
    pacing,
    isFirst,
    report: (result, entries) => {
      results.push(result);
      events.splice(0, events.length, ...entries.map(({ event }) => event));
    },
  };
  await what(subject, options);
  return { results, events };
}

describe('booking', () => {
  test('the hotel call has the flight’s ticket number, and both calls have the order’s id as key', async () => {
    const suppliers = suppliersThat(ticket);
    const { results, events } = await run(suppliers, bookOrder);
    expect(suppliers.reserveFlight.mock.lastCall).toMatchObject([
      { key: order.id, packageId: 3, flight: 'Flight-3', email: order.email },
      {},
      undefined,
    ]);
    expect(suppliers.reserveHotel.mock.lastCall).toMatchObject([
      { key: order.id, packageId: 3, stay: '2022-08-10', email: order.email, flightTicketNumber: 'F1' },
      {},
      undefined,
    ]);
    expect(results).toEqual([
      { kind: 'booked', reserved: { flight: { ticketNumber: 'F1' }, hotel: { reservationNumber: 'H1' } } },
    ]);
    expect(events).toEqual(['flight reserved', 'hotel reserved']);
  });

  test.each([
    [
      'Q2 a refused flight needs no compensation',
      refused('flight_unavailable'),
      room,
      'refused',
      'flight_unavailable',
    ],
    ['Q8 an unknown flight needs compensation', unknown, room, 'needsCompensation', 'supplier_silent'],
    [
      'Q8 a flight that was cancelled needs compensation',
      refused('cancelled'),
      room,
      'needsCompensation',
      'flight_unavailable',
    ],
    [
      'Q8 a refused hotel needs compensation of the flight',
      ticket,
      refused('hotel_unavailable'),
      'needsCompensation',
      'hotel_unavailable',
    ],
    [
      'Q8 a refused ticket needs compensation of the flight',
      ticket,
      refused('invalid_ticket'),
      'needsCompensation',
      'invalid_ticket',
    ],
    [
      'Q8 an unknown hotel needs compensation of both',
      ticket,
      unknown,
      'needsCompensation',
      'supplier_silent',
    ],
  ] as const)('%s, and the booking itself cancels nothing', async (_, flight, hotel, kind, reason) => {
    const suppliers = suppliersThat(flight, hotel);
    const { results } = await run(suppliers, bookOrder);
    const reserved = flight === ticket ? { flight: { ticketNumber: 'F1' } } : {};
    expect(results).toEqual([{ kind, reason, ...(kind === 'refused' ? {} : { reserved }) }]);
    expect(suppliers.cancel).not.toHaveBeenCalled();
  });

  const doubtful: Reply = { kind: 'refused', code: 'flight_unavailable', afterUnknown: true };
  test.each([
    ['an attempt with an unknown outcome', doubtful, true],
    ['another saga may have called', refused('flight_unavailable'), false],
  ])('Q8 a flight that is refused after %s needs compensation', async (_, flight, isFirst) => {
    const { results, events } = await run(suppliersThat(flight), bookOrder, order, isFirst);
    expect(results).toEqual([{ kind: 'needsCompensation', reason: 'flight_unavailable', reserved: {} }]);
    expect(events).toEqual(['flight unknown', 'flight refused']);
  });

  test('Q9 a saga whose activation has ended stops at its next step and reports nothing', async () => {
    const suppliers = suppliersThat(ticket);
    const stop = new AbortController();
    const report = vi.fn();
    suppliers.reserveHotel.mockImplementation(async () => {
      stop.abort();
      return unknown;
    });
    await bookOrder(order, {
      suppliers,
      clock: systemClock,
      pacing: new SagaPacing(),
      signal: stop.signal,
      report,
    });
    expect(report).not.toHaveBeenCalled();
  });

  test('the reserved flight is reported as progress while the hotel is slow', async () => {
    const hotel = Promise.withResolvers<Reply>();
    const suppliers = suppliersThat(ticket, hotel.promise);
    const results: SagaResult[] = [];
    const report = (result: SagaResult) => void results.push(result);
    const booking = bookOrder(order, {
      suppliers,
      clock: systemClock,
      pacing: new SagaPacing(),
      signal: new AbortController().signal,
      report,
    });
    await vi.waitFor(() =>
      expect(results).toEqual([{ kind: 'progress', reserved: { flight: { ticketNumber: 'F1' } } }]),
    );
    hotel.resolve(room);
    await booking;
    expect(results.at(-1)).toMatchObject({ kind: 'booked' });
  });
});

describe('compensating', () => {
  test('Q8 both cancels are repeated until both suppliers have confirmed', async () => {
    const suppliers = suppliersThat(ticket);
    let failures = 2;
    suppliers.cancel.mockImplementation(async (kind) => kind === 'hotels' || failures-- <= 0);
    const compensating: Order = {
      ...order,
      timeline: [...order.timeline, { at: 2, event: 'flight reserved', detail: 'F1' }],
    };
    const { results, events } = await run(suppliers, compensateOrder, compensating);
    expect(
      suppliers.cancel.mock.calls.map(([kind, { key }]) => `${kind} ${key === order.id}`).sort(),
    ).toEqual(['flights true', 'flights true', 'flights true', 'hotels true']);
    expect(results).toEqual([{ kind: 'compensated' }]);
    expect(events).toEqual(['flight cancelled']);
  });
});

describe('paying', () => {
  const payment = { amount: 10_000, currency: 'EUR' };
  const reserved = { flight: { ticketNumber: 'F1' }, hotel: { reservationNumber: 'H1' } };
  const paidFor: Order = { ...order, payment };
  const refusal = { kind: 'refused', code: 'payment_refused' } as const;

  test('Q2 the payment is requested last, with the order’s id as key', async () => {
    const suppliers = suppliersThat(ticket);
    const { results, events } = await run(suppliers, bookOrder, paidFor);
    const request = { key: order.id, packageId: 3, email: order.email, ...payment };
    expect(suppliers.requestPayment.mock.calls.map(([asked]) => asked)).toEqual([request]);
    expect(results).toEqual([{ kind: 'paymentDue', reserved, url: 'https://pay.example/1' }]);
    expect(events).toEqual(['flight reserved', 'hotel reserved']);
  });

  test('is not asked for if the hotel is refused', async () => {
    const suppliers = suppliersThat(ticket, refused('hotel_unavailable'));
    await run(suppliers, bookOrder, paidFor);
    expect(suppliers.requestPayment).not.toHaveBeenCalled();
  });

  test.each([
    ['refused', refusal, 'payment_refused', 'payment refused'],
    ['unknown', unknown, 'supplier_silent', 'payment unknown'],
  ] as const)('Q8 Q11 a %s payment needs compensation of everything', async (_, answer, reason, event) => {
    const suppliers = suppliersThat(ticket);
    suppliers.requestPayment.mockResolvedValue(answer);
    const { results, events } = await run(suppliers, bookOrder, paidFor);
    expect(results).toEqual([{ kind: 'needsCompensation', reason, reserved }]);
    expect(events.at(-1)).toBe(event);
    expect(suppliers.cancel).not.toHaveBeenCalled();
  });

  test('Q11 a compensation cancels the payment too, even if none was requested', async () => {
    const suppliers = suppliersThat(ticket);
    let failures = 1;
    suppliers.cancel.mockImplementation(async (kind) => kind !== 'payments' || failures-- <= 0);
    const { results } = await run(suppliers, compensateOrder, paidFor);
    const kinds = suppliers.cancel.mock.calls.map(([kind]) => kind);
    expect(kinds.sort()).toEqual(['flights', 'hotels', 'payments', 'payments']);
    expect(results).toEqual([{ kind: 'compensated' }]);
  });

  /** Waits for a payment of which the look-ups find these, the last one again and again, for 10 minutes. */
  const wait = (...found: PaymentFound[]) => waitAmong(new SagaPacing(), ...found);

  async function waitAmong(pacing: SagaPacing, ...found: PaymentFound[]) {
    const clock = new ManualClock();
    const since = clock.now();
    const payBy = since + 300_000;
    const lookUps: number[] = [];
    const suppliers = suppliersThat(ticket);
    suppliers.findPayment.mockImplementation(async () => {
      lookUps.push(clock.now() - since);
      return (found.length > 1 ? found.shift() : found[0]) as PaymentFound;
    });
    const url = 'https://pay.example/1';
    const payable: Order = { ...order, ...reserved, status: 'payable', payment: { ...payment, url, payBy } };
    const running = run(suppliers, awaitPayment, payable, false, clock, pacing);
    await clock.advance(600_000);
    const isOver = clock.sleepers === 0;
    return { lookUps, suppliers, ...(isOver ? await running : { results: [], events: [] }) };
  }

  test.each([
    ['paid', { kind: 'paid' }, 'paid'],
    ['declined', { kind: 'unpaid', reason: 'payment_declined' }, 'payment declined'],
    ['cancelled', { kind: 'unpaid', reason: 'payment_expired' }, 'payment expired'],
    ['refunded', { kind: 'unpaid', reason: 'payment_expired' }, 'payment expired'],
  ] as const)('Q11 ends as soon as the provider says %s', async (found, result, event) => {
    const { results, events, lookUps, suppliers } = await wait('due', 'absent', 'unknown', found);
    expect(results).toEqual([result]);
    expect(events).toEqual([event]);
    expect(lookUps).toHaveLength(4);
    expect(suppliers.findPayment.mock.lastCall?.[0]).toEqual({ key: order.id, packageId: 3, ...payment });
  });

  test.each(['due', 'absent', 'other_amount'] as const)(
    'Q11 expires while the provider says %s, after a last look-up',
    async (found) => {
      const { results, lookUps } = await wait(found);
      expect(results).toEqual([{ kind: 'unpaid', reason: 'payment_expired' }]);
      expect(lookUps.at(-1)).toBe(300_000);
    },
  );

  test('Q12 is looked up less often while thousands of payments are due, and still at its end', async () => {
    const pacing = new SagaPacing();
    for (let others = 1; others < 10_000; others++)
      void pacing.lookUps.during(order.packageId, () => new Promise(() => {}));
    const { results, lookUps } = await waitAmong(pacing, 'due');
    expect(lookUps).toEqual([0, 50_000, 100_000, 150_000, 200_000, 250_000, 300_000]);
    expect(results).toEqual([{ kind: 'unpaid', reason: 'payment_expired' }]);
  });

  test('Q12 waits no longer than its share among few payments of many packages', async () => {
    const pacing = new SagaPacing();
    for (let others = 1; others < 1_000; others++)
      void pacing.lookUps.during(order.packageId, () => new Promise(() => {}));
    for (let other = 1; other <= 1_000; other++)
      void pacing.lookUps.during(order.packageId + other, () => new Promise(() => {}));
    const { lookUps } = await waitAmong(pacing, 'due');
    // 2,000 calls at 200 per second, and at least 30 s between the later look-ups.
    expect(lookUps[1]).toBe(10_000);
    expect(lookUps.at(-1)).toBe(300_000);
  });

  test('Q11 a payment in the last moment counts', async () => {
    const whileDue = Array<PaymentFound>(14).fill('due');
    const { results, lookUps } = await wait(...whileDue, 'paid');
    expect(lookUps).toHaveLength(15);
    expect(lookUps.at(-1)).toBe(300_000);
    expect(results).toEqual([{ kind: 'paid' }]);
  });

  test('Q11 Q12 does not end while the provider does not answer', async () => {
    const { results, lookUps } = await wait('unknown');
    expect(results).toEqual([]);
    expect(lookUps.at(-1)).toBeGreaterThan(500_000);
  });
});
