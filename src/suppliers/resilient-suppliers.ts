import { Abort, type AbortState, aborted } from '../lib/abort.ts';
import { backoffMs } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { startTimer, withTimeout } from '../lib/deadline.ts';
import { defined } from '../lib/defined.ts';
import type { Random } from '../lib/random.ts';
import type { Log } from '../observability/log.ts';
import { type Metrics, noMetrics } from '../observability/metrics.ts';
import type { Tracing } from '../observability/tracing.ts';
import { FairSlots, type ReleaseSlot } from './fair-slots.ts';
import { PackageBreakers } from './package-breakers.ts';
import {
  type AtProvider,
  type CallOutcome,
  type CancelRequest,
  type FailingSupplier,
  type PartnerKind,
  type PaymentClient,
  partnerKinds,
  type SupplierAnswer,
  type SupplierClient,
  type Suppliers,
} from './suppliers.ts';

export interface ResilientOptions {
  readonly client: SupplierClient;
  /** The payment provider. Absent while payments are off. */
  readonly payments?: PaymentClient | undefined;
  readonly clock: Clock;
  /** The source of randomness that shortens the pauses. Default: no randomness. */
  readonly random?: Random;
  readonly log: Log;
  readonly metrics?: Metrics;
  readonly tracing?: Tracing;
  /** The timeout of one attempt, in ms. */
  readonly timeoutMs: number;
  /** A call ends as unknown after this many attempts with an unknown outcome. Probes do not count. Default 5. */
  readonly attempts?: number;
  /** The longest pause before the second attempt, in ms. The pause triples for each further attempt. Default 100. */
  readonly retryAfterMs?: number;
  /** The longest pause before any attempt, in ms. Default 2,000. */
  readonly retryAfterMaxMs?: number;
  /** A call ends as unknown this long after its first unknown outcome, even while it waits, in ms. Default 60,000. */
  readonly giveUpAfterMs?: number;
  /**
   * Unknown outcomes in a row that open a breaker. More than `attempts`, so that one order cannot open it. Default 10.
   */
  readonly failuresToOpen?: number;
  /**
   * The most reservations that may be under way at once, the most cancels, and the most look-ups, but 128 of these. Default
   * 1,024.
   */
  readonly slots?: number;
  /** The pause before the first probe, in ms; default 500. */
  readonly reopenAfterMs?: number;
  /** The longest pause before a probe, in ms; default 5,000. */
  readonly reopenAfterMaxMs?: number;
}

export interface ResilientSuppliers extends Suppliers {
  /** The kinds of suppliers that give no definite answers for some packages. */
  readonly failing: readonly FailingSupplier[];
  /** Stops the breakers' timers. Calls under way end when their own signals abort. */
  close(): void;
}

/** Orders that were made while payments were on keep their units until payments are on again. */
const paymentsAreOff = 'payments are off, but the order has to be paid';
/** What another provider says of a payment that it does not have would confirm, expire or refund the wrong order. */
const paymentIsElsewhere = 'PAYMENTS is not the provider that has the payment of the order';

type Reserve = (signal: AbortState) => Promise<SupplierAnswer>;

/** The most look-ups of payments that may be under way at once, because thousands may expire in the same moment. */
const lookUpSlots = 128;

/**
 * The most reservations that may be under way at once, and the most cancels, so that none delays the others. Probes have slots of their own. A single package gets a half: 512, about as many callers as a load balancer keeps waiting.
 */
const defaultSlots = 1_024;

/**
 * Makes a supplier client reliable enough for a saga. Each attempt has a timeout. A reservation with an unknown
 * outcome is repeated with the same key. Each kind of supplier has a circuit breaker for each package, at which
 * reservations wait while the supplier does not answer. A cancel is tried once, without a breaker. Packages share the
 * calls under way fairly.
 */
export function resilientSuppliers(options: ResilientOptions): ResilientSuppliers {
  const { client, payments, clock, log, timeoutMs, slots: slotsMax = defaultSlots } = options;
  const { attempts = 5, retryAfterMs = 100, retryAfterMaxMs = 2000, random } = options;
  const pauses = { firstMs: retryAfterMs, maxMs: retryAfterMaxMs, factor: 3, jitter: 0.5 };
  const observed = observing(options);
  const slots = {
    reservations: new FairSlots(slotsMax),
    cancels: new FairSlots(slotsMax),
    lookUps: new FairSlots(Math.min(slotsMax, lookUpSlots)),
  };
  const breakers = {
    flights: breakersFor('flights'),
    hotels: breakersFor('hotels'),
    payments: breakersFor('payments'),
  };
  const listeners = new Set<(packageId: number, available: boolean) => void>();
  const unavailable = new Set<number>();

  function breakersFor(kind: PartnerKind): PackageBreakers {
    const { failuresToOpen = 10, reopenAfterMs = 500, reopenAfterMaxMs = 5000 } = options;
    return new PackageBreakers({
      ...{ clock, slots: slots.reservations, failuresToOpen, reopenAfterMs, reopenAfterMaxMs },
      onStep: updateAvailability,
      onTurn: (packageId, turn) => reportTurn(log, kind, packageId, turn),
    });
  }

  const isAvailable = (packageId: number) =>
    partnerKinds.every((kind) => breakers[kind].available(packageId));

  function updateAvailability(packageId: number): void {
    const wasAvailable = !unavailable.has(packageId);
    if (wasAvailable === isAvailable(packageId)) return;
    if (wasAvailable) unavailable.add(packageId);
    else unavailable.delete(packageId);
    for (const listener of [...listeners]) {
      try {
        // Pass the current value, because an earlier listener may have changed it by making a call.
        listener(packageId, !unavailable.has(packageId));
      } catch (error) {
        log.error({ err: error }, 'A listener to the availability of the suppliers failed.');
      }
    }
  }

  async function reserve(
    kind: PartnerKind,
    { key, packageId }: CancelRequest,
    stop: AbortState,
    isUrgent: boolean,
    ask: Reserve,
  ): Promise<CallOutcome> {
    const deadline = new CallDeadline(stop, clock, options.giveUpAfterMs ?? 60_000);
    const { signal } = deadline;
    const askInTime = () => withTimeout({ ms: timeoutMs, stop: signal, clock }, ask);
    const attempt = () =>
      observed(kind, 'POST', key, askInTime).then(withoutOddRefusal, (error: unknown) => {
        deadline.start();
        throw error;
      });
    try {
      for (let failures = 1; ; failures++) {
        try {
          return deadline.mark(await breakers[kind].run(packageId, attempt, signal, isUrgent));
        } catch (error) {
          if (error instanceof OddRefusal) {
            log.warn({ supplier: kind, orderId: key, cause: error.cause }, 'A reservation was refused.');
            return deadline.mark(error.answer);
          }
          if (signal.aborted) return unknownOutcome(kind, key, stop.aborted, signal.reason);
          if (failures === attempts) return unknownOutcome(kind, key, stop.aborted, error);
        }
        // Shortened by up to a half at random, so that callers do not retry in step.
        await clock.sleep(backoffMs(failures, pauses, random), signal);
      }
    } finally {
      deadline.release();
    }
  }

  function unknownOutcome(
    supplier: PartnerKind,
    orderId: string,
    isStopped: boolean,
    error: unknown,
  ): CallOutcome {
    const cause = causeOf(error);
    if (!isStopped) log.warn({ supplier, orderId, cause }, 'A reservation has no known outcome.');
    return { kind: 'unknown', cause };
  }

  /** The provider that has a payment; undefined if it is not the one that is configured. */
  function providerOf({ provider = payments?.provider }: AtProvider): PaymentClient | undefined {
    return provider === payments?.provider ? payments : undefined;
  }

  /** Waits for another activation, because this one cannot ask the provider that has the payment. Returns the cause. */
  async function waitForProvider({ key, provider }: AtProvider & { key: string }, stop: AbortState) {
    const cause = payments === undefined ? paymentsAreOff : paymentIsElsewhere;
    log.warn({ orderId: key, ...defined({ provider }) }, cause);
    await aborted(stop);
    return cause;
  }

  /** The cancel at a supplier or at the provider that has the payment; undefined if that one cannot be asked. */
  function cancelAt(
    kind: PartnerKind,
    request: CancelRequest,
  ): ((signal: AbortState) => Promise<void>) | undefined {
    if (kind !== 'payments') return (signal) => client.cancel(kind, request.key, signal);
    const provider = providerOf(request);
    return provider && ((signal) => provider.cancelPayment(request.key, signal));
  }

  return {
    reserveFlight: (request, stop, isUrgent = false) =>
      reserve('flights', request, stop, isUrgent, (signal) => client.reserveFlight(request, signal)),

    reserveHotel: (request, stop, isUrgent = false) =>
      reserve('hotels', request, stop, isUrgent, (signal) => client.reserveHotel(request, signal)),

    async requestPayment(request, stop, isUrgent = false) {
      const provider = providerOf(request);
      if (provider === undefined) return { kind: 'unknown', cause: await waitForProvider(request, stop) };
      return reserve('payments', request, stop, isUrgent, (signal) =>
        provider.requestPayment(request, signal),
      );
    },

    async findPayment(lookUp, stop, isUrgent = false) {
      const { key, packageId, amount, currency } = lookUp;
      const provider = providerOf(lookUp);
      if (provider === undefined) {
        await waitForProvider(lookUp, stop);
        return 'unknown';
      }
      let release: ReleaseSlot | undefined;
      try {
        release = await slots.lookUps.take(packageId, stop, isUrgent);
        const found = await withTimeout({ ms: timeoutMs, stop, clock }, (signal) =>
          provider.payment(key, signal),
        );
        if (found === undefined) {
          log.warn({ orderId: key }, 'The payment provider does not know the payment of an order.');
          return 'absent';
        }
        const isOpen = found.status === 'due' || found.status === 'paid';
        const asked = { amount, currency };
        const shown = { ...asked, ...found };
        if (!isOpen || (shown.amount === amount && shown.currency === currency)) return found.status;
        log.warn({ orderId: key, asked, found }, 'The payment provider has another amount than the order.');
        return 'other_amount';
      } catch (error) {
        const cause = causeOf(error);
        if (!stop.aborted) log.warn({ orderId: key, cause }, 'A payment could not be looked up.');
        return 'unknown';
      } finally {
        release?.();
      }
    },

    async cancel(kind, request, stop, isUrgent = false) {
      const { key, packageId } = request;
      if (stop.aborted) return false;
      const cancel = cancelAt(kind, request);
      if (cancel === undefined) {
        await waitForProvider(request, stop);
        return false;
      }
      let release: ReleaseSlot | undefined;
      try {
        release = await slots.cancels.take(packageId, stop, isUrgent);
        await observed(kind, 'DELETE', key, async (): Promise<undefined> => {
          await withTimeout({ ms: timeoutMs, stop, clock }, cancel);
        });
        return true;
      } catch (error) {
        const cause = stop.aborted ? 'stopped' : causeOf(error);
        log.warn({ supplier: kind, orderId: key, cause }, 'A cancel is not known to have worked.');
        return false;
      } finally {
        release?.();
      }
    },

    available: (packageId) => !unavailable.has(packageId),
    get isMostlyAvailable() {
      return partnerKinds.every((kind) => !breakers[kind].isMostlyFailing);
    },
    get failing() {
      return partnerKinds.flatMap((supplier) => {
        const failing = breakers[supplier].listFailing();
        return failing === undefined ? [] : [{ supplier, ...failing }];
      });
    },
    onAvailability(listener) {
      // A wrapper, so that a function which listens twice can stop listening once.
      const own = (packageId: number, available: boolean) => listener(packageId, available);
      listeners.add(own);
      return () => {
        listeners.delete(own);
      };
    },

    close() {
      for (const kind of partnerKinds) breakers[kind].dispose();
    },
  };
}

/** Measures an attempt, and traces it as a span. */
function observing({ metrics = noMetrics, tracing }: ResilientOptions) {
  return function observed<T extends SupplierAnswer | undefined>(
    supplier: PartnerKind,
    method: 'POST' | 'DELETE',
    orderId: string,
    attempt: () => Promise<T>,
  ): Promise<T> {
    const ended = metrics.supplierCall(supplier);
    const answered =
      tracing?.current() === undefined
        ? attempt()
        : tracing.within(
            `supplier ${method}`,
            { kind: 'client', attributes: { supplier, 'order.id': orderId } },
            attempt,
          );
    return answered.then(
      (answer) => {
        ended(answer?.kind ?? 'cancelled');
        return answer;
      },
      (error: unknown) => {
        ended('unknown');
        throw error;
      },
    );
  };
}

function reportTurn(log: Log, supplier: PartnerKind, packageId: number, turn: 'fails' | 'answers'): void {
  if (turn === 'answers') log.info({ supplier, packageId }, 'A supplier answers again.');
  else log.warn({ supplier, packageId }, 'A supplier gives no definite answers: calls to it wait.');
}

function causeOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A refusal outside the protocol. It counts as a failure: if all orders are refused like this, a setting is wrong. */
class OddRefusal extends Error {
  readonly answer: SupplierAnswer;

  constructor(answer: SupplierAnswer, cause: string) {
    super('refused outside the protocol', { cause });
    this.answer = answer;
  }
}

/** @throws OddRefusal */
function withoutOddRefusal(answer: SupplierAnswer): SupplierAnswer {
  if (answer.kind === 'refused' && answer.cause !== undefined) throw new OddRefusal(answer, answer.cause);
  return answer;
}

/**
 * Ends a supplier call when its caller stops the call, or `limitMs` after the call's first attempt with an unknown
 * outcome.
 */
class CallDeadline {
  /** Aborts when the call has to end. The reason is an Error. */
  readonly signal = new Abort();
  readonly #stop: AbortState;
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #onStop = () => this.#expire('stopped');
  /** Clears the timer. Undefined before `start`, because most calls never need a timer. */
  #clearTimer: (() => void) | undefined;
  #isReleased = false;

  constructor(stop: AbortState, clock: Clock, limitMs: number) {
    this.#stop = stop;
    this.#clock = clock;
    this.#limitMs = limitMs;
    if (stop.aborted) this.#onStop();
    else stop.addEventListener('abort', this.#onStop, { once: true });
  }

  /** Starts the timer. Only the first call has an effect. */
  start(): void {
    if (this.#clearTimer !== undefined || this.#isReleased) return;
    const expire = () => this.#expire(`no definite answer for ${this.#limitMs} ms`);
    this.#clearTimer = startTimer(this.#limitMs, this.#clock, expire);
  }

  /** Marks a refusal after an attempt with an unknown outcome, which may have reserved. */
  mark(answer: SupplierAnswer): CallOutcome {
    const isAfterUnknown = answer.kind === 'refused' && this.#clearTimer !== undefined;
    return isAfterUnknown ? { ...answer, afterUnknown: true } : answer;
  }

  /** Removes the listener and the timer. */
  release(): void {
    this.#isReleased = true;
    this.#stop.removeEventListener('abort', this.#onStop);
    this.#clearTimer?.();
  }

  #expire(why: string): void {
    this.signal.abort(new Error(why));
  }
}
