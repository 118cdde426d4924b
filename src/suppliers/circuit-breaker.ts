import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import { backoffMs } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';

export interface CircuitBreakerOptions {
  readonly clock: Clock;
  /** Opens after this many unknown outcomes in a row. */
  readonly failuresToOpen: number;
  /** The pause before the first probe, in ms. It doubles with every probe that fails. */
  readonly reopenAfterMs: number;
  readonly reopenAfterMaxMs: number;
  /** Called for each transition in the diagram below, with the new state. */
  readonly onStep: (step: BreakerStep) => void;
}

export type BreakerStep = 'open' | 'due' | 'probing' | 'closed';

/**
 * A circuit breaker at which callers wait in a queue instead of failing.
 *
 * ```
 *            unknown outcomes in a row             the pause is over
 *   closed ─────────────────────────────► open ─────────────────────► due
 *     ▲                                    ▲                           │ the first of the queue, or the next caller
 *     │ answered: calls pass again         │ not answered              ▼
 *     └────────────────────────────────────┴──────────────────────── probing
 * ```
 *
 * Calls pass while the breaker is closed. While a probe is due, one call at a time probes. A call whose probe fails
 * goes to the end of the queue, so that a single key which the supplier cannot process does not keep the breaker open
 * for all calls.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  readonly #breaker;
  /**
   * The waiting callers, in the order of their calls. Each function is called with true to probe, or with false to try
   * again.
   */
  readonly #queue = new Set<(probe: boolean) => void>();
  readonly #window = new CongestionWindow();
  /** Cancels the pause before a probe. */
  #pause = new AbortController();
  #due = false;
  #probing = false;
  /** How often the breaker has opened since it was last closed. */
  #opened = 0;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
    this.#breaker = circuitBreaker(
      handleWhen((error) => !(error instanceof GivenUp)),
      {
        breaker: new ConsecutiveBreaker(options.failuresToOpen),
        // This class decides when to probe by its own clock, because the library would use the machine's clock.
        halfOpenAfter: Number.NEGATIVE_INFINITY,
      },
    );
    this.#breaker.onBreak(() => this.#open());
    this.#breaker.onReset(() => this.#close());
  }

  /** Whether a new call can help: the breaker is closed, or it waits for a call that probes. */
  get available(): boolean {
    return this.#closed || (this.#due && !this.#probing);
  }

  /**
   * Makes an attempt as soon as the breaker allows, and counts its outcome. A rejection is an unknown outcome. If the
   * attempt is a probe and fails, the call goes back to the queue.
   * @throws the error of the attempt; the reason of the signal if the signal aborts first.
   */
  async run<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#closed && this.#window.room > 0) return await this.#attempt(attempt, signal);
      if (!(await this.#turn(signal))) continue;
      try {
        return await this.#breaker.execute(attempt);
      } catch {
        // A failed probe does not count as an attempt of this call, so the call tries again.
      } finally {
        this.#endProbe();
      }
    }
  }

  /** Stops the timer. Waiting calls end when their own signals abort. */
  dispose(): void {
    this.#pause.abort();
  }

  get #closed(): boolean {
    return this.#breaker.state === CircuitState.Closed;
  }

  /** Makes an attempt. An attempt that its caller stops is not counted, because it says nothing about the supplier. */
  async #attempt<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
    this.#window.begun();
    try {
      return await this.#breaker.execute(async () => {
        try {
          const result = await attempt();
          this.#window.answered();
          return result;
        } catch (error) {
          if (signal.aborted) throw new GivenUp('given up', { cause: error });
          this.#window.unanswered();
          throw error;
        }
      });
    } finally {
      this.#window.ended();
      this.#admit();
    }
  }

  /** Waits in the queue. Resolves with true if this call has to probe, or with false if this call may try to pass. */
  async #turn(signal: AbortSignal): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    const leave = () => {
      this.#queue.delete(resolve);
      reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#queue.add(resolve);
    this.#letFirstProbe();
    const probe = await promise.finally(() => signal.removeEventListener('abort', leave));
    if (!probe || !signal.aborted) return probe;
    // This call was stopped in the same turn of the event loop, so the next caller probes instead.
    this.#endProbe();
    throw signal.reason;
  }

  /** While the breaker is closed, lets as many waiting calls pass as the congestion window allows. */
  #admit(): void {
    if (!this.#closed) return;
    let { room } = this.#window;
    for (const pass of this.#queue) {
      if (room-- <= 0) return;
      this.#queue.delete(pass);
      pass(false);
    }
  }

  #letFirstProbe(): void {
    const [first] = this.#queue;
    if (first === undefined || !this.#due || this.#probing) return;
    this.#queue.delete(first);
    this.#probing = true;
    first(true);
    this.#options.onStep('probing');
  }

  #endProbe(): void {
    this.#probing = false;
    if (this.#due) this.#seekProbe();
  }

  /** Lets the first waiting call probe. If no call waits, the next new call probes. */
  #seekProbe(): void {
    this.#letFirstProbe();
    if (!this.#probing) this.#options.onStep('due');
  }

  #open(): void {
    const { reopenAfterMs: firstMs, reopenAfterMaxMs: maxMs } = this.#options;
    this.#opened += 1;
    const ms = backoffMs(this.#opened, { firstMs, maxMs });
    this.#due = false;
    this.#window.shut();
    this.#pause.abort();
    this.#pause = new AbortController();
    this.#options.onStep('open');
    void this.#becomeDue(ms, this.#pause.signal);
  }

  async #becomeDue(ms: number, signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(ms, signal);
    if (signal.aborted) return;
    this.#due = true;
    this.#seekProbe();
  }

  #close(): void {
    this.#due = false;
    this.#pause.abort();
    this.#opened = 0;
    this.#options.onStep('closed');
    this.#admit();
  }
}

/** The error of an attempt that its caller stopped. */
class GivenUp extends Error {
  override readonly name = 'GivenUp';
}

/** The limit right after a supplier has come back, in calls. */
const sizeFirst = 8;
/** The window grows fast at least up to this size. */
const thresholdMin = 64;
/** The window has no limit from this size on, because an instance never has more calls under way. */
const sizeMax = 1_024;

/**
 * Limits how many calls may be under way after a supplier was away, because all waiting calls at once would overload
 * the supplier again.
 *
 * The limit starts low and doubles with every round of answers, up to half of the size that was too much. After that
 * the limit grows by one per round. A missing answer halves the limit. This is slow start and congestion avoidance of
 * TCP (RFC 5681). There is no limit until the supplier has been away.
 */
export class CongestionWindow {
  #size = Number.POSITIVE_INFINITY;
  #threshold = Number.POSITIVE_INFINITY;
  #underWay = 0;

  /** How many more calls may begin. */
  get room(): number {
    return Math.max(0, Math.floor(this.#size) - this.#underWay);
  }

  begun(): void {
    this.#underWay += 1;
  }

  ended(): void {
    this.#underWay -= 1;
  }

  answered(): void {
    if (this.#size === Number.POSITIVE_INFINITY) return;
    this.#size += this.#size < this.#threshold ? 1 : 1 / this.#size;
    if (this.#size >= sizeMax) this.#size = Number.POSITIVE_INFINITY;
  }

  unanswered(): void {
    if (this.#size === Number.POSITIVE_INFINITY) return;
    this.#threshold = Math.max(sizeFirst, this.#size / 2);
    this.#size = this.#threshold;
  }

  /** Called when the supplier goes away, so that the limit is low when the supplier comes back. */
  shut(): void {
    this.#threshold = Math.max(thresholdMin, Math.min(this.#size, this.#underWay) / 2);
    this.#size = sizeFirst;
  }
}
