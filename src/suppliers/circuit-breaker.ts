import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import type { Clock } from '../lib/clock.ts';
import { CongestionWindow } from './congestion-window.ts';

export interface CircuitBreakerOptions {
  readonly clock: Clock;
  /** Opens after so many unknown outcomes in a row. */
  readonly failuresToOpen: number;
  /** How long it stays open before the first probe, in ms; doubles with every probe that fails. */
  readonly reopenAfterMs: number;
  readonly reopenAfterMaxMs: number;
  /** Told of each step in the diagram below. */
  readonly onStep: (step: BreakerStep) => void;
}

export type BreakerStep = 'open' | 'due' | 'probing' | 'closed';

/**
 * A circuit breaker that makes callers wait in line instead of failing them.
 *
 * ```
 *            unknown outcomes in a row             the wait is over
 *   closed ─────────────────────────────► open ─────────────────────► due
 *     ▲                                    ▲                           │ the first in line, or the next to come
 *     │ answered: more and more pass       │ not answered              ▼
 *     └────────────────────────────────────┴──────────────────────── probing
 * ```
 *
 * As breakers go, closed is good: calls pass. One call probes at a time, and one that fails goes to the back of the
 * line, so that a single key which a supplier chokes on cannot keep the breaker open for all.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  readonly #breaker;
  /** In the order they came. They are told whether they are to probe. */
  readonly #line = new Set<(probe: boolean) => void>();
  readonly #window = new CongestionWindow();
  #wait = new AbortController();
  #due = false;
  #probing = false;
  #reopenAfterMs: number;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
    this.#reopenAfterMs = options.reopenAfterMs;
    this.#breaker = circuitBreaker(
      handleWhen((error) => !(error instanceof GivenUp)),
      {
        breaker: new ConsecutiveBreaker(options.failuresToOpen),
        // When to probe is decided here, by the clock that came in; the library would look at the machine's.
        halfOpenAfter: Number.NEGATIVE_INFINITY,
      },
    );
    this.#breaker.onBreak(() => this.#open());
    this.#breaker.onReset(() => this.#close());
  }

  /** Whether it helps to make a new call: the breaker is closed, or waits for somebody to probe. */
  get available(): boolean {
    return this.#closed || (this.#due && !this.#probing);
  }

  /**
   * Makes an attempt as soon as the breaker allows, and counts its outcome: a rejection is an unknown one.
   * A probe that fails stands in line again, as often as it takes.
   * @throws what the attempt throws, or the signal's reason when it aborts first.
   */
  async run<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#closed && this.#window.room > 0) return await this.#attempt(attempt, signal);
      if (!(await this.#appointed(signal))) continue;
      try {
        return await this.#breaker.execute(attempt);
      } catch {
        // Not held against the caller.
      } finally {
        this.#probed();
      }
    }
  }

  /** Lets go of its timer. Callers in line are freed by their own signals. */
  dispose(): void {
    this.#wait.abort();
  }

  get #closed(): boolean {
    return this.#breaker.state === CircuitState.Closed;
  }

  /** An attempt that its caller gave up says nothing about the supplier. */
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

  /** Stands in line, until it is this call's turn to probe (true) or to try whether it may pass (false). */
  async #appointed(signal: AbortSignal): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    const leave = () => {
      this.#line.delete(resolve);
      reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#line.add(resolve);
    this.#appoint();
    const probe = await promise.finally(() => signal.removeEventListener('abort', leave));
    if (!probe || !signal.aborted) return probe;
    // Appointed and given up in the same instant: somebody else's turn.
    this.#probed();
    throw signal.reason;
  }

  /** While the breaker is closed, as many of the line may pass as there is room for. */
  #admit(): void {
    if (!this.#closed) return;
    let { room } = this.#window;
    for (const pass of this.#line) {
      if (room-- <= 0) return;
      this.#line.delete(pass);
      pass(false);
    }
  }

  #appoint(): void {
    const [first] = this.#line;
    if (first === undefined || !this.#due || this.#probing) return;
    this.#line.delete(first);
    this.#probing = true;
    first(true);
    this.#options.onStep('probing');
  }

  #probed(): void {
    this.#probing = false;
    if (this.#due) this.#seekProbe();
  }

  /** The first in line probes; where nobody is, the next to come. */
  #seekProbe(): void {
    this.#appoint();
    if (!this.#probing) this.#options.onStep('due');
  }

  #open(): void {
    const ms = this.#reopenAfterMs;
    this.#reopenAfterMs = Math.min(2 * ms, this.#options.reopenAfterMaxMs);
    this.#due = false;
    this.#window.shut();
    this.#wait.abort();
    this.#wait = new AbortController();
    this.#options.onStep('open');
    void this.#becomeDue(ms, this.#wait.signal);
  }

  async #becomeDue(ms: number, signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(ms, signal);
    if (signal.aborted) return;
    this.#due = true;
    this.#seekProbe();
  }

  #close(): void {
    this.#due = false;
    this.#wait.abort();
    this.#reopenAfterMs = this.#options.reopenAfterMs;
    this.#options.onStep('closed');
    this.#admit();
  }
}

class GivenUp extends Error {
  override readonly name = 'GivenUp';
}
