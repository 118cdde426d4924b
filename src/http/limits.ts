import type { Context } from 'hono';
import type { Clock } from '../lib/clock.ts';
import {
  type ClientLimit,
  type HttpLimits,
  type LimitResult,
  policyItem,
  rateItem,
  secondsUntil,
} from '../rate-limits/limits.ts';
import type { Admission, AppServices } from './app-services.ts';
import { bindings } from './bindings.ts';
import { setHeader } from './direct-answer.ts';
import type { RouteHandler } from './methods.ts';
import { type ProblemExtra, problem, type SendProblem } from './problem.ts';

/**
 * Puts a handler behind a rate limit. Requests above the limit get 429 `rate_limited` before their body is read. If there
 * is a limit, every answer has `RateLimit` headers. Without one, returns the handler itself.
 */
export function limited(
  limit: ClientLimit | undefined,
  handle: RouteHandler,
  show: SendProblem = problem,
): RouteHandler {
  if (limit === undefined) return handle;
  return async (c) => {
    const refused = await take(c, limit);
    return refused === undefined ? handle(c) : show(c, 'rate_limited', refused);
  };
}

/**
 * Counts a request of the client and sets the `RateLimit` headers. Returns the problem if the client is above the
 * limit.
 */
export async function take(c: Context, limit: ClientLimit): Promise<ProblemExtra | undefined> {
  const result = await limit.take(bindings(c).incoming);
  setHeader(c, 'RateLimit', rateItem(result));
  setHeader(c, 'RateLimit-Policy', limit.policies);
  return result.isAllowed ? undefined : tooMany(result);
}

/** Counts a purchase with this email. Returns the problem if the email is above the limit. */
export async function takeEmail(
  c: Context,
  limits: HttpLimits | undefined,
  email: string,
): Promise<ProblemExtra | undefined> {
  if (limits === undefined) return undefined;
  const { policy } = limits.email;
  const result = { policy, ...(await limits.email.take(email)) };
  if (result.isAllowed) return undefined;
  setHeader(c, 'RateLimit', rateItem(result));
  return tooMany(result);
}

function tooMany({ resetMs, policy }: LimitResult): ProblemExtra {
  return { retryAfterS: secondsUntil(resetMs), detail: `The limit is ${policyItem(policy)}.` };
}

/**
 * Puts a handler of purchases behind the client's rate limit and the overload check. An overloaded server answers 503
 * `overloaded` before it reads the body. These refusals are counted but not logged, because there may be thousands a
 * second.
 */
export function purchasing(
  { limits, admission, telemetry }: Pick<AppServices, 'limits' | 'admission' | 'telemetry'>,
  handle: RouteHandler,
  show: SendProblem = problem,
): RouteHandler {
  if (admission === undefined) return limited(limits?.purchase, handle, show);
  const admitted: RouteHandler = (c) => {
    if (admission.admits()) return handle(c);
    telemetry?.metrics.purchase('overloaded');
    return show(c, 'overloaded');
  };
  return limited(limits?.purchase, admitted, show);
}

const tickMs = 100;
/** A timer that is this late, in ms, shows that thousands of requests arrive per turn of the event loop. */
const behindMs = 400;
/** So many late ticks in a row count as overload. Fewer may be a garbage collection or a paused process. */
const lateTicksMax = 3;
/** Purchases admitted per tick even under overload: enough to keep the actors busy until the next tick. */
const admittedPerTick = 256;

/**
 * Sheds load: refuses the newest purchases while the event loop is far behind, so that earlier purchases, look-ups and
 * health checks are served in time. Measures the delay of a timer.
 */
export class LoopAdmission implements Admission {
  readonly #clock: Clock;
  readonly #stopping = new AbortController();
  #lateInARow = 0;
  #admitted = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Measures the event loop until {@link stop}. */
  start(): void {
    void this.#watch(this.#stopping.signal);
  }

  stop(): void {
    this.#stopping.abort();
  }

  admits(): boolean {
    return this.#lateInARow < lateTicksMax || ++this.#admitted <= admittedPerTick;
  }

  async #watch(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const from = this.#clock.monotonic();
      await this.#clock.sleep(tickMs, stop);
      const lateMs = this.#clock.monotonic() - from - tickMs;
      this.#lateInARow = lateMs > behindMs ? this.#lateInARow + 1 : 0;
      this.#admitted = 0;
    }
  }
}
