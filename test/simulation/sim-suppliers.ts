import type {
  FlightRequest,
  HotelRequest,
  SupplierAnswer,
  SupplierKind,
  Suppliers,
  UnknownAnswer,
} from '../../src/suppliers/suppliers.ts';
import type { SimHost, World } from './world.ts';

interface Entry {
  number: string;
  status: 'active' | 'refused' | 'cancelled';
}

/** The suppliers' ledgers, by kind and key. A key gets the same answer until the key is cancelled. */
export class SupplierCore {
  readonly ledgers: Readonly<Record<SupplierKind, Map<string, Entry>>> = {
    flights: new Map(),
    hotels: new Map(),
  };
  /** Called with every request that arrives, before its answer. */
  onReserve: (kind: SupplierKind, key: string) => void = () => {};
  onCancel: (kind: SupplierKind, key: string) => void = () => {};
  /** Called with every new live reservation. */
  onActive: (kind: SupplierKind, key: string) => void = () => {};
  /** Keys for which a process got no answer. */
  readonly silent = new Set<string>();
  #numbers = 0;

  reserve(kind: SupplierKind, key: string, isRefused: () => boolean): SupplierAnswer {
    this.onReserve(kind, key);
    let entry = this.ledgers[kind].get(key);
    if (entry === undefined) {
      const status = isRefused() ? 'refused' : 'active';
      entry = {
        status,
        number: status === 'active' ? `${kind === 'flights' ? 'F' : 'H'}${++this.#numbers}` : '',
      };
      this.ledgers[kind].set(key, entry);
      if (status === 'active') this.onActive(kind, key);
    }
    if (entry.status === 'active') return { kind: 'reserved', number: entry.number };
    if (entry.status === 'cancelled') return { kind: 'refused', code: 'cancelled' };
    return { kind: 'refused', code: kind === 'flights' ? 'flight_unavailable' : 'hotel_unavailable' };
  }

  hasTicket(number: string): boolean {
    return [...this.ledgers.flights.values()].some(
      (entry) => entry.number === number && entry.status === 'active',
    );
  }

  cancel(kind: SupplierKind, key: string): void {
    this.onCancel(kind, key);
    const entry = this.ledgers[kind].get(key);
    if (entry === undefined) this.ledgers[kind].set(key, { number: '', status: 'cancelled' });
    else entry.status = 'cancelled';
  }

  isActive(kind: SupplierKind, key: string): boolean {
    return this.ledgers[kind].get(key)?.status === 'active';
  }
}

const attemptsMax = 3;
const timeoutMs = 2_000;

/**
 * The suppliers as a saga of one process sees them. An attempt without an answer is repeated with the same key, and in
 * the end the outcome is unknown. An attempt that timed out may have taken effect, or may take effect much later.
 */
export function simSuppliers(
  world: World,
  host: SimHost,
  core: SupplierCore,
): Suppliers & { toggle(packageIds: Iterable<number>): void } {
  const { scheduler, prng } = world;
  const clock = world.clockOf(host);
  const listeners = new Set<(packageId: number, available: boolean) => void>();
  /** Number of failed cancels in a row, by kind and key. */
  const failures = new Map<string, number>();
  let isOpen = true;

  async function reserve(
    kind: SupplierKind,
    key: string,
    signal: AbortSignal,
    serve: () => SupplierAnswer,
  ): Promise<SupplierAnswer | UnknownAnswer> {
    for (let attempt = 1; attempt <= attemptsMax && !signal.aborted; attempt++) {
      try {
        return await race(
          world.call(host, `reserve ${kind} ${key}`, {
            serve: () => late(`late ${kind} ${key}`, () => twice(`again ${kind} ${key}`, heard(serve))),
            lost: 'supplierError',
            replyLost: 'supplierReplyLost',
            unavailable: () => new Error('no answer'),
          }),
          signal,
        );
      } catch {
        await clock.sleep(prng.between(50, 500), signal);
      }
    }
    world.counters.count('supplier unknown');
    core.silent.add(key);
    return { kind: 'unknown', cause: signal.aborted ? 'stopped' : 'no answer' };
  }

  /** Lets the request sometimes take effect only after its timeout. */
  function late<T>(what: string, serve: () => T): T {
    if (!world.strikes('supplierLate')) return serve();
    scheduler.after(timeoutMs + prng.pick([1, 1_000, 10_000]), what, () => void serve());
    throw new Error('timed out');
  }

  /** Lets the request sometimes arrive twice. */
  function twice<T>(what: string, serve: () => T): T {
    if (world.strikes('supplierTwice')) scheduler.after(prng.pick([1, 100, 5_000]), what, () => void serve());
    return serve();
  }

  function heard(serve: () => SupplierAnswer): () => SupplierAnswer {
    return () => {
      const answer = serve();
      if (answer.kind === 'refused' && answer.code === 'cancelled') world.counters.count('cancel overtook');
      return answer;
    };
  }

  function noteFailure(name: string): void {
    const inARow = (failures.get(name) ?? 0) + 1;
    failures.set(name, inARow);
    if (inARow >= 3) world.counters.count('cancel failed again and again');
  }

  return {
    reserveFlight: (request: FlightRequest, signal) =>
      reserve('flights', request.key, signal, () =>
        core.reserve('flights', request.key, () => world.strikes('flightRefused')),
      ),
    reserveHotel: (request: HotelRequest, signal) =>
      reserve('hotels', request.key, signal, () =>
        core.hasTicket(request.flightTicketNumber)
          ? core.reserve('hotels', request.key, () => world.strikes('hotelRefused'))
          : { kind: 'refused', code: 'invalid_ticket' },
      ),
    async cancel(kind, { key }, signal) {
      if (signal.aborted) return false;
      const cancelled = world.call(host, `cancel ${kind} ${key}`, {
        serve: () => twice(`again cancel ${kind} ${key}`, () => core.cancel(kind, key)),
        lost: 'cancelFails',
        replyLost: 'supplierReplyLost',
        unavailable: () => new Error('no answer'),
      });
      return race(cancelled, signal).then(
        () => true,
        () => {
          noteFailure(`${kind} ${key}`);
          return false;
        },
      );
    },
    available: () => isOpen,
    get isMostlyAvailable() {
      return isOpen;
    },
    onAvailability(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    /** Opens or closes the circuit breakers of all packages. */
    toggle(packageIds) {
      isOpen = !isOpen;
      for (const id of packageIds) for (const listener of listeners) listener(id, isOpen);
    },
  };
}

/** Settles as `work` does, but rejects when the signal aborts. The work itself goes on. */
function race<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new Error('stopped'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
