import { orderIdBytes, orderIdFrom } from '../domain/order.ts';
import type { AbortState } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { Generations } from '../lib/generations.ts';
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

/** The number of reservations in one page of the ledger. */
const pageSize = 500;
/** How long a flight ticket is remembered at least, in ms. */
const rememberedMs = 1_000;

/** The prefix of the numbers of each kind of supplier, and its refusal when nothing is left. */
const habits = {
  flights: { prefix: 'F', refusal: 'flight_unavailable' },
  hotels: { prefix: 'H', refusal: 'hotel_unavailable' },
} as const;

/**
 * An airline and a hotel that refuse at random and record their answers.
 *
 * The simulation behaves like remote suppliers: a reservation continues when its caller has gone, concurrent calls with
 * one key get one answer, and a cancel may overtake its reservation. `invalid_ticket` is not recorded, because the
 * caller may ask again with the same key and a valid ticket.
 */
export function simulatedSuppliers(options: SimulationOptions): SupplierClient {
  const { ledger, random, clock, latencyMs } = options;
  const underWay = new Map<string, Promise<SupplierAnswer>>();
  /**
   * The flight tickets that this process has just recorded and whose hotel has not been booked, by key. With one of them
   * a hotel needs no look-up in the ledger. Another process may cancel such a ticket. It then cancels the hotel
   * reservation of the same key too, so none is left.
   */
  const tickets = new Generations<string, LedgerEntry>(rememberedMs, clock);

  /**
   * Runs the work once for all concurrent callers with this key. A caller's signal ends the caller's wait, but not the
   * work.
   */
  async function once(
    kind: SupplierKind,
    key: string,
    signal: AbortState | undefined,
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

  function delayed(decide: () => Promise<SupplierAnswer>): Promise<SupplierAnswer> {
    return latencyMs > 0 ? clock.sleep(latencyMs).then(decide) : decide();
  }

  /** Decides at random. If an entry is already recorded under this key, returns the recorded entry. */
  function draw(
    kind: SupplierKind,
    failureRate: number,
    { key, packageId }: FlightRequest | HotelRequest,
    subject: string,
  ): Promise<LedgerEntry> {
    const refused = random.fraction() < failureRate;
    const number = refused ? '' : newNumber(kind);
    const status = refused ? 'refused' : 'active';
    return ledger.record(kind, { key, number, status, subject, packageId }, clock.now());
  }

  function newNumber(kind: SupplierKind): string {
    return habits[kind].prefix + orderIdFrom(clock.now(), random.bytes(orderIdBytes)).replaceAll('-', '');
  }

  async function decideFlight(request: FlightRequest): Promise<SupplierAnswer> {
    const entry = await draw('flights', options.flightFailureRate, request, request.flight);
    if (entry.status === 'active') tickets.set(entry.key, entry);
    return answerOf('flights', entry);
  }

  async function decideHotel(request: HotelRequest): Promise<SupplierAnswer> {
    const { key, flightTicketNumber, stay } = request;
    const recent = tickets.get(key);
    tickets.delete(key);
    const ticket =
      recent?.number === flightTicketNumber
        ? recent
        : await ledger.findByNumber('flights', flightTicketNumber);
    if (admits(ticket, request))
      return answerOf('hotels', await draw('hotels', options.hotelFailureRate, request, stay));
    const earlier = await ledger.find('hotels', key);
    return earlier ? answerOf('hotels', earlier) : { kind: 'refused', code: 'invalid_ticket' };
  }

  return {
    reserveFlight: (request, signal) => once('flights', request.key, signal, () => decideFlight(request)),
    reserveHotel: (request, signal) => once('hotels', request.key, signal, () => decideHotel(request)),
    async cancel(kind, key) {
      await ledger.cancel(kind, key);
      tickets.delete(key);
    },
    ledger: (kind, cursor) => ledger.page(kind, cursor, pageSize),
  };
}

/** Whether the flight's ticket allows the hotel reservation. Public tickets allow public reservations only. */
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

/**
 * Settles as `work` does.
 * @throws the signal's reason as soon as the signal aborts; the work continues.
 */
function unlessAborted<T>(work: Promise<T>, signal: AbortState): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => reject(signal.reason);
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
  });
}
