import { DelegateBackoff, handleAll, type IRetryBackoffContext, retry } from 'cockatiel';
import { backoffMs } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { withTimeout } from '../lib/deadline.ts';
import type { Random } from '../lib/random.ts';
import type { Log } from '../observability/log.ts';
import { type Metrics, noMetrics } from '../observability/metrics.ts';
import type { Tracing } from '../observability/tracing.ts';
import { type BreakerStep, CircuitBreaker } from './circuit-breaker.ts';
import type { CallOutcome, SupplierAnswer, SupplierClient, SupplierKind, Suppliers } from './suppliers.ts';

export interface ResilientOptions {
  readonly client: SupplierClient;
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
  /** The pause before the first probe, in ms; default 500. */
  readonly reopenAfterMs?: number;
  /** The longest pause before a probe, in ms; default 5,000. */
  readonly reopenAfterMaxMs?: number;
}

export interface ResilientSuppliers extends Suppliers {
  /** Stops the breakers' timers. Calls under way end when their own signals abort. */
  close(): void;
}

type Reserve = (signal: AbortSignal) => Promise<SupplierAnswer>;

/**
 * Makes a supplier client reliable enough for a saga. Each attempt has a timeout. A call with an unknown outcome is
 * repeated with the same key. Each kind of supplier has a circuit breaker, at which calls wait while the supplier does
 * not answer.
 */
export function resilientSuppliers(options: ResilientOptions): ResilientSuppliers {
  const { client, clock, log, timeoutMs } = options;
  const retrying = retrier(options);
  const observed = observing(options);
  const breakers = { flights: breakerFor('flights'), hotels: breakerFor('hotels') };
  const listeners = new Set<(available: boolean) => void>();
  let isAvailable = true;

  function breakerFor(kind: SupplierKind): CircuitBreaker {
    const { failuresToOpen = 10, reopenAfterMs = 500, reopenAfterMaxMs = 5000 } = options;
    const onStep = (step: BreakerStep) => {
      reportStep(options, kind, step);
      updateAvailability();
    };
    return new CircuitBreaker({ clock, failuresToOpen, reopenAfterMs, reopenAfterMaxMs, onStep });
  }

  function updateAvailability(): void {
    if (isAvailable === (breakers.flights.available && breakers.hotels.available)) return;
    isAvailable = !isAvailable;
    for (const listener of [...listeners]) {
      try {
        // Pass the current value, because an earlier listener may have changed it by making a call.
        listener(isAvailable);
      } catch (error) {
        log.error({ err: error }, 'A listener to the availability of the suppliers failed.');
      }
    }
  }

  async function reserve(
    kind: SupplierKind,
    key: string,
    stop: AbortSignal,
    ask: Reserve,
  ): Promise<CallOutcome> {
    const deadline = new CallDeadline(stop, clock, options.giveUpAfterMs ?? 60_000);
    const attempt = async () => {
      try {
        return await observed(kind, 'POST', key, () =>
          withTimeout({ ms: timeoutMs, stop: deadline.signal }, ask),
        );
      } catch (error) {
        deadline.start();
        throw error;
      }
    };
    try {
      const answered = retrying.execute(() => breakers[kind].run(attempt, deadline.signal), deadline.signal);
      const answer = await Promise.race([answered, deadline.expired]);
      return answer.kind === 'refused' && deadline.isStarted ? { ...answer, afterUnknown: true } : answer;
    } catch (error) {
      const cause = deadline.signal.aborted ? deadline.signal.reason.message : causeOf(error);
      if (!stop.aborted)
        log.warn({ supplier: kind, orderId: key, cause }, 'A reservation has no known outcome.');
      return { kind: 'unknown', cause };
    } finally {
      deadline.release();
    }
  }

  return {
    reserveFlight: (request, stop) =>
      reserve('flights', request.key, stop, (signal) => client.reserveFlight(request, signal)),

    reserveHotel: (request, stop) =>
      reserve('hotels', request.key, stop, (signal) => client.reserveHotel(request, signal)),

    async cancel(kind, key, stop) {
      if (stop.aborted) return false;
      try {
        await observed(kind, 'DELETE', key, async (): Promise<undefined> => {
          await withTimeout({ ms: timeoutMs, stop }, (signal) => client.cancel(kind, key, signal));
        });
        return true;
      } catch (error) {
        const cause = stop.aborted ? 'stopped' : causeOf(error);
        log.warn({ supplier: kind, orderId: key, cause }, 'A cancel is not known to have worked.');
        return false;
      }
    },

    get available() {
      return isAvailable;
    },
    onAvailability(listener) {
      // A wrapper, so that a function which listens twice can stop listening once.
      const own = (available: boolean) => listener(available);
      listeners.add(own);
      return () => {
        listeners.delete(own);
      };
    },

    close() {
      breakers.flights.dispose();
      breakers.hotels.dispose();
    },
  };
}

/** Makes the retry policy. Pauses are shortened by up to a half at random, so that callers do not retry in step. */
function retrier({ attempts = 5, retryAfterMs = 100, retryAfterMaxMs = 2000, random }: ResilientOptions) {
  const pauses = { firstMs: retryAfterMs, maxMs: retryAfterMaxMs, factor: 3, jitter: 0.5 };
  const backoff = new DelegateBackoff(({ attempt }: IRetryBackoffContext<unknown>) =>
    backoffMs(attempt, pauses, random),
  );
  return retry(handleAll, { maxAttempts: attempts - 1, backoff }).dangerouslyUnref();
}

/** Measures an attempt, and traces it as a span. */
function observing({ metrics = noMetrics, tracing }: ResilientOptions) {
  return async function observed<T extends SupplierAnswer | undefined>(
    supplier: SupplierKind,
    method: 'POST' | 'DELETE',
    orderId: string,
    attempt: () => Promise<T>,
  ): Promise<T> {
    const ended = metrics.supplierCall(supplier);
    const attributes = { supplier, 'order.id': orderId };
    try {
      const answer = await (tracing?.current() === undefined
        ? attempt()
        : tracing.within(`supplier ${method}`, { kind: 'client', attributes }, attempt));
      ended(answer?.kind ?? 'cancelled');
      return answer;
    } catch (error) {
      ended('unknown');
      throw error;
    }
  };
}

function reportStep(
  { log, metrics = noMetrics }: ResilientOptions,
  supplier: SupplierKind,
  step: BreakerStep,
): void {
  if (step === 'open' || step === 'closed') metrics.breaker(supplier, step === 'open');
  if (step === 'open') log.warn({ supplier }, 'A supplier gives no definite answers: calls to it wait.');
  if (step === 'closed') log.info({ supplier }, 'A supplier answers again.');
}

function causeOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Ends a supplier call when its caller stops the call, or `limitMs` after the call's first attempt with an unknown
 * outcome.
 */
class CallDeadline {
  /** Aborts when the call has to end. The reason is an Error. */
  readonly signal: AbortSignal;
  /** Rejects with the same reason. A rejection that nobody handles is harmless. */
  readonly expired: Promise<never>;
  readonly #stop: AbortSignal;
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #expire: (why: string) => void;
  readonly #onStop = () => this.#expire('stopped');
  /** Ends the timer. Undefined before `start`, because most calls never need a timer, and an abort costs 5 µs. */
  #timer: AbortController | undefined;
  #isReleased = false;

  constructor(stop: AbortSignal, clock: Clock, limitMs: number) {
    const ending = new AbortController();
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    this.signal = ending.signal;
    this.expired = promise;
    this.#stop = stop;
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#expire = (why) => {
      const reason = new Error(why);
      ending.abort(reason);
      reject(reason);
    };
    if (stop.aborted) this.#onStop();
    else stop.addEventListener('abort', this.#onStop, { once: true });
  }

  /** Starts the timer. Only the first call has an effect. */
  start(): void {
    if (this.#timer !== undefined || this.#isReleased) return;
    this.#timer = new AbortController();
    void this.#expireLater(this.#timer.signal);
  }

  /** Whether an attempt of the call had an unknown outcome. */
  get isStarted(): boolean {
    return this.#timer !== undefined;
  }

  /** Removes the listener and the timer. */
  release(): void {
    this.#isReleased = true;
    this.#stop.removeEventListener('abort', this.#onStop);
    this.#timer?.abort();
  }

  async #expireLater(released: AbortSignal): Promise<void> {
    await this.#clock.sleep(this.#limitMs, released);
    if (!released.aborted) this.#expire(`no definite answer for ${this.#limitMs} ms`);
  }
}
