import type {
  CallOutcome,
  FlightRequest,
  HotelRequest,
  SupplierAnswer,
  SupplierKind,
  Suppliers,
} from '../../src/suppliers/suppliers.ts';
import type { SimHost, World } from './world.ts';

interface Entry {
  number: string;
  status: 'active' | 'refused' | 'cancelled';
}

/**
 * The suppliers' ledgers, by kind and key. A key gets the same answer until the key is cancelled, unless the supplier
 * contradicts itself.
 */
export class SupplierCore {
  readonly ledgers: Readonly<Record<SupplierKind, Map<string, Entry>>> = {
    flights: new Map(),
    hotels: new Map(),
  };
  /** Called with every attempt to reserve that a process begins. */
  onAttempt: (host: SimHost, kind: SupplierKind, key: string) => void = () => {};
  /** Called with every request that arrives, before its answer. */
  onReserve: (kind: SupplierKind, key: string) => void = () => {};
  onCancel: (kind: SupplierKind, key: string) => void = () => {};
  /** Called with every new live reservation. */
  onActive: (kind: SupplierKind, key: string) => void = () => {};
  /** Keys for which a process got no answer. */
  readonly silent = new Set<string>();
  /** Called with every key for which a process got no answer. */
  onSilent: (key: string) => void = () => {};
  /** Kinds and keys that were refused against the ledger. */
  readonly #contradicted = new Set<string>();
  /** The number of attempts, by kind and key. */
  readonly #attempts = new Map<string, number>();
  #numbers = 0;

  /** Counts an attempt that a process begins. Returns whether it is the first with its key. */
  begin(host: SimHost, kind: SupplierKind, key: string): boolean {
    this.onAttempt(host, kind, key);
    const attempts = (this.#attempts.get(`${kind} ${key}`) ?? 0) + 1;
    this.#attempts.set(`${kind} ${key}`, attempts);
    return attempts === 1;
  }

  /** Refuses a request without a note of it in the ledger. */
  contradict(kind: SupplierKind, key: string): SupplierAnswer {
    this.onReserve(kind, key);
    this.#contradicted.add(`${kind} ${key}`);
    return refusal(kind);
  }

  /** Whether a request with the key was refused, or its reservation was cancelled. */
  wasRefused(kind: SupplierKind, key: string): boolean {
    const status = this.ledgers[kind].get(key)?.status;
    return status === 'refused' || status === 'cancelled' || this.#contradicted.has(`${kind} ${key}`);
  }

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
    return refusal(kind);
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

function refusal(kind: SupplierKind): SupplierAnswer {
  return { kind: 'refused', code: kind === 'flights' ? 'flight_unavailable' : 'hotel_unavailable' };
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
  ): Promise<CallOutcome> {
    for (let attempt = 1; attempt <= attemptsMax && !signal.aborted; attempt++) {
      const isFirst = core.begin(host, kind, key);
      const answer = () =>
        !isFirst && world.strikes('supplierContradicts') ? core.contradict(kind, key) : serve();
      try {
        const outcome = await race(
          world.call(host, `reserve ${kind} ${key}`, {
            serve: () => late(`late ${kind} ${key}`, () => twice(`again ${kind} ${key}`, heard(answer))),
            lost: 'supplierError',
            replyLost: 'supplierReplyLost',
            unavailable: () => new Error('no answer'),
          }),
          signal,
        );
        return outcome.kind === 'refused' && attempt > 1 ? { ...outcome, afterUnknown: true } : outcome;
      } catch {
        await clock.sleep(prng.between(50, 500), signal);
      }
    }
    world.counters.count('supplier unknown');
    core.silent.add(key);
    core.onSilent(key);
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
