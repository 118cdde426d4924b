import { DelegateBackoff, handleAll, type IRetryBackoffContext, retry } from 'cockatiel';
import type { Clock } from '../lib/clock.ts';
import { withTimeout } from '../lib/deadline.ts';
import type { Random } from '../lib/random.ts';
import type { Log } from '../observability/log.ts';
import { type Metrics, noMetrics } from '../observability/metrics.ts';
import { noTracing, type Tracing } from '../observability/tracing.ts';
import { trackAvailability } from './availability.ts';
import { type BreakerStep, CircuitBreaker } from './circuit-breaker.ts';
import { Patience } from './patience.ts';
import type { SupplierAnswer, SupplierClient, SupplierKind, Suppliers, UnknownAnswer } from './suppliers.ts';

export interface ResilientOptions {
  readonly client: SupplierClient;
  readonly clock: Clock;
  /** Spreads the pauses between attempts; absent: no spread. */
  readonly random?: Random;
  readonly log: Log;
  readonly metrics?: Metrics;
  readonly tracing?: Tracing;
  /** How long one attempt may take, in ms. */
  readonly timeoutMs: number;
  /** Attempts with an unknown outcome until a call ends as unknown; probes of the breaker come on top. */
  readonly attempts?: number;
  /** The longest pause before the second attempt, in ms; three times as long before each further one. */
  readonly retryAfterMs?: number;
  readonly retryAfterMaxMs?: number;
  /** A call ends as unknown so many ms after its first unknown outcome, also when it waits for the breaker. */
  readonly giveUpAfterMs?: number;
  /** Unknown outcomes in a row that open a breaker. More than one call's attempts, so that no single order can. */
  readonly failuresToOpen?: number;
  readonly reopenAfterMs?: number;
  readonly reopenAfterMaxMs?: number;
}

export interface ResilientSuppliers extends Suppliers {
  /** Lets go of the breakers' timers. Calls under way are ended by their own signals. */
  close(): void;
}

type Reserve = (signal: AbortSignal) => Promise<SupplierAnswer>;

/**
 * Makes a supplier client fit for a saga: every attempt has a time limit, unknown outcomes are asked about again
 * with the same key, and a breaker per kind of supplier makes calls wait while nothing useful comes back.
 */
export function resilientSuppliers(options: ResilientOptions): ResilientSuppliers {
  const { client, clock, log, timeoutMs } = options;
  const retrying = retrier(options);
  const observed = observing(options);
  const availability = trackAvailability(log, () => gates.flights.available && gates.hotels.available);
  const gates = { flights: gateFor('flights'), hotels: gateFor('hotels') };

  function gateFor(kind: SupplierKind): CircuitBreaker {
    const { failuresToOpen = 10, reopenAfterMs = 500, reopenAfterMaxMs = 5000 } = options;
    const onStep = (step: BreakerStep) => {
      tellStep(options, kind, step);
      availability.check();
    };
    return new CircuitBreaker({ clock, failuresToOpen, reopenAfterMs, reopenAfterMaxMs, onStep });
  }

  async function reserve(
    kind: SupplierKind,
    key: string,
    stop: AbortSignal,
    ask: Reserve,
  ): Promise<SupplierAnswer | UnknownAnswer> {
    const patience = new Patience(stop, clock, options.giveUpAfterMs ?? 60_000);
    const attempt = async () => {
      try {
        return await observed(kind, 'POST', key, () =>
          withTimeout({ ms: timeoutMs, stop: patience.over }, ask),
        );
      } catch (error) {
        patience.limit();
        throw error;
      }
    };
    try {
      const answer = retrying.execute(() => gates[kind].run(attempt, patience.over), patience.over);
      return await Promise.race([answer, patience.lost]);
    } catch (error) {
      const cause = patience.over.aborted ? patience.over.reason.message : causeOf(error);
      if (!stop.aborted)
        log.warn({ supplier: kind, orderId: key, cause }, 'A reservation has no known outcome.');
      return { kind: 'unknown', cause };
    } finally {
      patience.end();
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
      return availability.now;
    },
    onAvailability: availability.listen,

    close() {
      gates.flights.dispose();
      gates.hotels.dispose();
    },
  };
}

/** Exponential pauses, shortened by up to a half at random so that callers do not come back in step. */
function retrier({ attempts = 5, retryAfterMs = 100, retryAfterMaxMs = 2000, random }: ResilientOptions) {
  const pause = ({ attempt }: IRetryBackoffContext<unknown>) =>
    Math.min(retryAfterMs * 3 ** (attempt - 1), retryAfterMaxMs) * (1 - (random?.fraction() ?? 0) / 2);
  const backoff = new DelegateBackoff(pause);
  return retry(handleAll, { maxAttempts: attempts - 1, backoff }).dangerouslyUnref();
}

/** Measures one attempt, and makes it a span of the present trace. */
function observing({ metrics = noMetrics, tracing = noTracing }: ResilientOptions) {
  return async function observed<T extends SupplierAnswer | undefined>(
    supplier: SupplierKind,
    method: 'POST' | 'DELETE',
    orderId: string,
    attempt: () => Promise<T>,
  ): Promise<T> {
    const ended = metrics.supplierCall(supplier);
    const attributes = { supplier, 'order.id': orderId };
    const isTraced = tracing.current() !== undefined;
    try {
      const answer = await (isTraced
        ? tracing.within(`supplier ${method}`, { kind: 'client', attributes }, attempt)
        : attempt());
      ended(answer?.kind ?? 'cancelled');
      return answer;
    } catch (error) {
      ended('unknown');
      throw error;
    }
  };
}

function tellStep(
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
