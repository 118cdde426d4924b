import { describe, expect, test, vi } from 'vitest';
import type { SagaResult } from '../domain/messages.ts';
import type { Order } from '../domain/order.ts';
import { systemClock } from '../lib/clock.ts';
import type { CallOutcome, Suppliers } from '../suppliers/suppliers.ts';
import { bookOrder, CancelPacing, compensateOrder, type SagaOptions } from './saga.ts';

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
    cancel: vi.fn<Suppliers['cancel']>(async () => true),
    available: () => true,
    isMostlyAvailable: true,
    onAvailability: () => () => {},
  };
  return suppliers satisfies Suppliers;
}

async function run(suppliers: Suppliers, what: typeof bookOrder, subject = order, isFirst = true) {
  const results: SagaResult[] = [];
  const events: string[] = [];
  const stop = new AbortController();
  const options: SagaOptions = {
    suppliers,
    clock: systemClock,
    signal: stop.signal,
    pacing: new CancelPacing(),
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
      pacing: new CancelPacing(),
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
      pacing: new CancelPacing(),
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
