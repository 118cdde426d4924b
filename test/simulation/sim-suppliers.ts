import type { AbortState } from '../../src/lib/abort.ts';
import { type Log, silentLog } from '../../src/observability/log.ts';
import { type ResilientSuppliers, resilientSuppliers } from '../../src/suppliers/resilient-suppliers.ts';
import {
  type CallOutcome,
  type PartnerKind,
  partnerKinds,
  type SupplierAnswer,
  type SupplierClient,
  type SupplierKind,
  supplierKinds,
} from '../../src/suppliers/suppliers.ts';
import { type Attempt, late, type PartnerOutage, simAttempts, timeoutMs, twice } from './attempts.ts';
import { IsolationChecks } from './isolation-checks.ts';
import { type PaymentCore, simPaymentClient } from './sim-payments.ts';
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
  /** Whether the supplier fails for this package, until it comes back. Set by the nemesis. */
  outageOf: (packageId: number) => PartnerOutage | undefined = () => undefined;
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

/**
 * The suppliers and the payment provider as a saga of one process sees them: the production code over simulated clients.
 * An attempt that was cut off or timed out may have taken effect, or may take effect much later.
 * @param payments undefined if payments are off.
 */
export function simSuppliers(
  world: World,
  host: SimHost,
  core: SupplierCore,
  payments?: PaymentCore,
  log: Log = silentLog,
): ResilientSuppliers {
  const slots = world.prng.pick(slotsMax);
  const kinds = payments === undefined ? supplierKinds : partnerKinds;
  const isolation = new IsolationChecks(world, host, slots, kinds.length);
  /** Number of failed cancels in a row, by kind and key. */
  const failures = new Map<string, number>();
  const suppliers = resilientSuppliers({
    ...{ slots, timeoutMs, log },
    client: simClient(world, host, core, isolation),
    payments: payments && simPaymentClient(world, host, payments, isolation),
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

  function noteFailure(kind: PartnerKind, key: string): void {
    const name = `${kind} ${key}`;
    const inARow = (failures.get(name) ?? 0) + 1;
    failures.set(name, inARow);
    if (inARow < 3) return;
    world.counters.count(`${kind === 'payments' ? 'refund' : 'cancel'} failed again and again`);
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
    async requestPayment(request, signal, isUrgent) {
      const ask = () => suppliers.requestPayment(request, signal, isUrgent);
      return heard(request.key, await isolation.during('payments', request, isUrgent, ask));
    },
    findPayment(lookUp, signal, isUrgent) {
      const find = () => suppliers.findPayment(lookUp, signal, isUrgent);
      return isolation.during('look-up', lookUp, isUrgent, find);
    },
    async cancel(kind, request, signal, isUrgent) {
      const cancel = () => suppliers.cancel(kind, request, signal, isUrgent);
      const isDone = await isolation.during(`cancel ${kind}`, request, isUrgent, cancel);
      if (!isDone && !signal.aborted) noteFailure(kind, request.key);
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
  const attempt: Attempt = simAttempts(world, host, isolation, (_, key) =>
    isBad(key) ? 'fails' : core.outageOf(isolation.packageOf(key)),
  );

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
    const once = () => twice(world, 'supplierTwice', `again ${kind} ${key}`, heard(answer));
    return attempt(kind, key, signal, {
      serve: () => late(world, 'supplierLate', `late ${kind} ${key}`, once),
      lost: 'supplierError',
      replyLost: 'supplierReplyLost',
    });
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
        serve: () =>
          twice(world, 'supplierTwice', `again cancel ${kind} ${key}`, () => core.cancel(kind, key)),
        lost: 'cancelFails',
        replyLost: 'supplierReplyLost',
      }),
    ledger: () => Promise.reject(new Error('not simulated')),
  };
}
