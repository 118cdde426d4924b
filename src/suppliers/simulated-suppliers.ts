import { orderIdBytes, orderIdFrom } from '../domain/order.ts';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import {
  type FlightRequest,
  type HotelRequest,
  type LedgerEntry,
  publicKeyPrefix,
  type SupplierAnswer,
  type SupplierClient,
  type SupplierKind,
  type SupplierLedger,
} from './suppliers.ts';

export interface SimulationOptions {
  readonly ledger: SupplierLedger;
  readonly random: Random;
  readonly clock: Clock;
  /** How often a flight is refused, from 0 to 1. */
  readonly flightFailureRate: number;
  readonly hotelFailureRate: number;
  /** How long a reservation takes, in ms. */
  readonly latencyMs: number;
}

/** Lines of the ledger in one answer. */
const pageSize = 500;

/** What each kind of supplier puts in front of its numbers, and says when it has nothing left. */
const habits = {
  flights: { prefix: 'F', refusal: 'flight_unavailable' },
  hotels: { prefix: 'H', refusal: 'hotel_unavailable' },
} as const;

/**
 * An airline and a hotel that decide by dice and remember what they decided.
 *
 * They behave as distant ones would: a reservation goes on when its caller has hung up, concurrent duplicates of a
 * key get one answer, and a cancel may overtake its reservation. `invalid_ticket` is not remembered: it is not
 * about the key but about the ticket, and a caller who mends the ticket may ask again with the same key.
 */
export function simulatedSuppliers(options: SimulationOptions): SupplierClient {
  const { ledger, random, clock, latencyMs } = options;
  const underWay = new Map<string, Promise<SupplierAnswer>>();

  /** Runs the work once for all who ask while it runs. A caller's signal ends its waiting, not the work. */
  async function once(
    kind: SupplierKind,
    key: string,
    signal: AbortSignal | undefined,
    decide: () => Promise<SupplierAnswer>,
  ): Promise<SupplierAnswer> {
    signal?.throwIfAborted();
    const name = `${kind} ${key}`;
    let answer = underWay.get(name);
    if (answer === undefined) {
      answer = delayed(decide).finally(() => underWay.delete(name));
      underWay.set(name, answer);
    }
    return signal === undefined ? answer : unlessAborted(answer, signal);
  }

  async function delayed(decide: () => Promise<SupplierAnswer>): Promise<SupplierAnswer> {
    if (latencyMs > 0) await clock.sleep(latencyMs);
    return decide();
  }

  /** Rolls the dice. Whatever was recorded before them under this key wins. */
  async function roll(
    kind: SupplierKind,
    failureRate: number,
    { key, packageId }: FlightRequest | HotelRequest,
    subject: string,
  ): Promise<SupplierAnswer> {
    const refused = random.fraction() < failureRate;
    const number = refused ? '' : newNumber(kind);
    const status = refused ? 'refused' : 'active';
    return answerOf(kind, await ledger.record(kind, { key, number, status, subject, packageId }));
  }

  function newNumber(kind: SupplierKind): string {
    return habits[kind].prefix + orderIdFrom(random.bytes(orderIdBytes)).replaceAll('-', '');
  }

  async function decideHotel(request: HotelRequest): Promise<SupplierAnswer> {
    const ticket = await ledger.findByNumber('flights', request.flightTicketNumber);
    if (admits(ticket, request)) return roll('hotels', options.hotelFailureRate, request, request.stay);
    const earlier = await ledger.find('hotels', request.key);
    return earlier ? answerOf('hotels', earlier) : { kind: 'refused', code: 'invalid_ticket' };
  }

  return {
    reserveFlight: (request, signal) =>
      once('flights', request.key, signal, () =>
        roll('flights', options.flightFailureRate, request, request.flight),
      ),
    reserveHotel: (request, signal) => once('hotels', request.key, signal, () => decideHotel(request)),
    cancel: (kind, key) => ledger.cancel(kind, key),
    ledger: (kind, cursor) => ledger.page(kind, cursor, pageSize),
  };
}

/** Whether a flight's ticket gets this hotel reservation. Public tickets are for public reservations, and only they. */
function admits(ticket: LedgerEntry | undefined, { key, packageId }: HotelRequest): boolean {
  return (
    ticket?.status === 'active' &&
    ticket.packageId === packageId &&
    ticket.key.startsWith(publicKeyPrefix) === key.startsWith(publicKeyPrefix)
  );
}

function answerOf(kind: SupplierKind, { status, number }: LedgerEntry): SupplierAnswer {
  if (status === 'active') return { kind: 'reserved', number };
  return { kind: 'refused', code: status === 'cancelled' ? 'cancelled' : habits[kind].refusal };
}

/** @throws the signal's reason as soon as it aborts, whatever becomes of the work. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const ended = Promise.withResolvers<never>();
  const end = () => ended.reject(signal.reason);
  // The work is listened to first: however this ends, it fails nobody unheard.
  const result = Promise.race([work, ended.promise]);
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  try {
    return await result;
  } finally {
    signal.removeEventListener('abort', end);
  }
}
