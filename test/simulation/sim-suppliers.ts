import type { AbortState } from '../../src/lib/abort.ts';
import { type Log, silentLog } from '../../src/observability/log.ts';
import { type ResilientSuppliers, resilientSuppliers } from '../../src/suppliers/resilient-suppliers.ts';
import type {
  CallOutcome,
  SupplierAnswer,
  SupplierClient,
  SupplierKind,
} from '../../src/suppliers/suppliers.ts';
import { IsolationChecks } from './isolation-checks.ts';
import type { SimHost, World } from './world.ts';

/** `fails`: calls get an error at once. `hangs`: calls get no answer. */
export type SupplierOutage = 'fails' | 'hangs';

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
  /** Whether the supplier fails for this package, until it comes back. Set by the nemesis. */
  outageOf: (packageId: number) => SupplierOutage | undefined = () => undefined;
  /** By key: whether the supplier fails for the key until the faults end. */
  readonly badKeys = new Map<string, boolean>();
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

/** The most reservations, and the most cancels, that a process has under way. Few, so that a rush uses all. */
const slotsMax = [8, 12, 1_024];
const failuresToOpen = [3, 10];
const timeoutMs = 2_000;

/**
 * The suppliers as a saga of one process sees them: the production code over a simulated client. An attempt that was cut
 * off or timed out may have taken effect, or may take effect much later.
 */
export function simSuppliers(
  world: World,
  host: SimHost,
  core: SupplierCore,
  log: Log = silentLog,
): ResilientSuppliers {
  const slots = world.prng.pick(slotsMax);
  const isolation = new IsolationChecks(world, host, slots);
  /** Number of failed cancels in a row, by kind and key. */
  const failures = new Map<string, number>();
  const suppliers = resilientSuppliers({
    ...{ slots, timeoutMs, log },
    client: simClient(world, host, core, isolation),
    clock: world.clockOf(host),
    random: world.prng.fork(),
    failuresToOpen: world.prng.pick(failuresToOpen),
  });
  suppliers.onAvailability((_, available) =>
    world.counters.count(available ? 'suppliers available again' : 'suppliers unavailable'),
  );

  function heard(key: string, outcome: CallOutcome): CallOutcome {
    if (outcome.kind === 'unknown') {
      world.counters.count('supplier unknown');
      core.silent.add(key);
      core.onSilent(key);
    }
    return outcome;
  }

  function noteFailure(name: string): void {
    const inARow = (failures.get(name) ?? 0) + 1;
    failures.set(name, inARow);
    if (inARow >= 3) world.counters.count('cancel failed again and again');
  }

  return {
    ...suppliers,
    get isMostlyAvailable() {
      return suppliers.isMostlyAvailable;
    },
    async reserveFlight(request, signal, isUrgent) {
      const reserve = () => suppliers.reserveFlight(request, signal, isUrgent);
      return heard(request.key, await isolation.during('flights', request, isUrgent, reserve));
    },
    async reserveHotel(request, signal, isUrgent) {
      const reserve = () => suppliers.reserveHotel(request, signal, isUrgent);
      return heard(request.key, await isolation.during('hotels', request, isUrgent, reserve));
    },
    async cancel(kind, request, signal, isUrgent) {
      const cancel = () => suppliers.cancel(kind, request, signal, isUrgent);
      const isDone = await isolation.during(`cancel ${kind}`, request, isUrgent, cancel);
      if (!isDone && !signal.aborted) noteFailure(`${kind} ${request.key}`);
      return isDone;
    },
  };
}

/** Single attempts of one process over the simulated network. */
function simClient(
  world: World,
  host: SimHost,
  core: SupplierCore,
  isolation: IsolationChecks,
): SupplierClient {
  const { scheduler, prng } = world;

  /** Rejects when the signal aborts. The call itself goes on. */
  async function attempt<T>(
    what: string,
    key: string,
    signal: AbortState | undefined,
    call: { readonly serve: () => T; readonly lost: 'supplierError' | 'cancelFails' },
  ): Promise<T> {
    const ended = isolation.attempt(what, key);
    try {
      const outage = isBad(key) ? 'fails' : core.outageOf(isolation.packageOf(key));
      if (outage !== undefined) world.counters.count(`supplier ${outage}`);
      const answer =
        outage === 'hangs'
          ? new Promise<T>(() => {})
          : world.call(host, `${what} ${key}`, {
              ...{ replyLost: 'supplierReplyLost' as const, failed: () => outage === 'fails' },
              unavailable: () => new Error('no answer'),
              ...call,
            });
      const result = await race(answer, signal);
      ended('answered');
      return result;
    } catch (error) {
      ended('unknown');
      throw error;
    }
  }

  /** Whether the supplier cannot process this key. */
  function isBad(key: string): boolean {
    if (world.calmMs > 0) return false;
    let isBadKey = core.badKeys.get(key);
    if (isBadKey === undefined) {
      isBadKey = world.strikes('supplierBadKey');
      core.badKeys.set(key, isBadKey);
    }
    return isBadKey;
  }

  function reserve(
    kind: SupplierKind,
    key: string,
    signal: AbortState | undefined,
    serve: () => SupplierAnswer,
  ): Promise<SupplierAnswer> {
    const isFirst = core.begin(host, kind, key);
    const answer = () =>
      !isFirst && world.strikes('supplierContradicts') ? core.contradict(kind, key) : serve();
    return attempt(kind, key, signal, {
      serve: () => late(`late ${kind} ${key}`, () => twice(`again ${kind} ${key}`, heard(answer))),
      lost: 'supplierError',
    });
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

  return {
    reserveFlight: ({ key }, signal) =>
      reserve('flights', key, signal, () =>
        core.reserve('flights', key, () => world.strikes('flightRefused')),
      ),
    reserveHotel: ({ key, flightTicketNumber }, signal) =>
      reserve('hotels', key, signal, () =>
        core.hasTicket(flightTicketNumber)
          ? core.reserve('hotels', key, () => world.strikes('hotelRefused'))
          : { kind: 'refused', code: 'invalid_ticket' },
      ),
    cancel: (kind, key, signal) =>
      attempt(`cancel ${kind}`, key, signal, {
        serve: () => twice(`again cancel ${kind} ${key}`, () => core.cancel(kind, key)),
        lost: 'cancelFails',
      }),
    ledger: () => Promise.reject(new Error('not simulated')),
  };
}

/** Settles as `work` does, but rejects when the signal aborts. The work itself goes on. */
function race<T>(work: Promise<T>, signal: AbortState | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new Error('stopped'));
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop);
    work.then(resolve, reject).finally(() => signal?.removeEventListener('abort', stop));
  });
}
