import { Abort, type AbortState } from '../lib/abort.ts';
import { backoffMs } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { WaitingCallers } from '../lib/waiting-callers.ts';
import type { ReleaseSlot } from './fair-slots.ts';

export interface CircuitBreakerOptions {
  readonly clock: Clock;
  /** Opens after this many unknown outcomes in a row. */
  readonly failuresToOpen: number;
  /** The pause before the first probe, in ms. It doubles with every probe that fails. */
  readonly reopenAfterMs: number;
  readonly reopenAfterMaxMs: number;
  /** Whether the first call has to probe; default false. */
  readonly isSuspect?: boolean;
  /** Takes a slot for an attempt, at once if one is free. Rejects if the signal aborts first. */
  readonly takeSlot: (
    what: 'call' | 'probe',
    signal: AbortState,
    isUrgent: boolean,
  ) => ReleaseSlot | Promise<ReleaseSlot>;
  /**
   * Called for each transition in the diagram below, with the new state. `due` is reported only if no call waits: a call
   * that waits probes at once, which reports `probing`.
   */
  readonly onStep: (step: BreakerStep) => void;
}

export type BreakerStep = 'open' | 'due' | 'probing' | 'closed';

/**
 * A circuit breaker at which callers wait in a queue instead of failing.
 *
 * ```
 *            unknown outcomes in a row      the pause is over, or a call is urgent
 *   closed ─────────────────────────────► open ─────────────────────────────────► due
 *     ▲                                    ▲                                      │ ▲
 *     │                                    │          the first of the queue,     │ │ stopped by
 *     │ answered: calls pass again         │ not      or the next caller          ▼ │ its caller
 *     └────────────────────────────────────┴ answered ──────────────────────── probing
 * ```
 *
 * It starts `closed`, or `due` if the supplier is suspect.
 *
 * Calls pass while the breaker is closed. While a probe is due, one call at a time probes. A call whose probe fails
 * goes to the end of the queue, so that a single key which the supplier cannot process does not keep the breaker open
 * for all calls. A call has a slot only during an attempt, never while it waits here.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  /** Callers that wait. Admitted with true for a probe, with false to try again. */
  readonly #waiting = new WaitingCallers<boolean>();
  readonly #window = new CongestionWindow();
  #state: BreakerStep;
  /** Cancels the pause before a probe. */
  #pause: Abort | undefined;
  /** Unknown outcomes in a row. */
  #failures = 0;
  /** How often the breaker has opened since it was last closed. */
  #opened = 0;
  /** Calls that have not ended. */
  #calls = 0;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
    this.#state = options.isSuspect === true ? 'due' : 'closed';
  }

  /** Whether a new call can help: the breaker is closed, or it waits for a call that probes. */
  get available(): boolean {
    return this.#state === 'closed' || this.#state === 'due';
  }

  /** Whether it is unused and knows nothing: a new one would behave the same. */
  get isFresh(): boolean {
    return this.#calls === 0 && this.#state === 'closed' && this.#failures === 0 && this.#window.isUnlimited;
  }

  /** Whether it is unused and no pause is under way. */
  get isIdle(): boolean {
    return this.#calls === 0 && this.available;
  }

  /**
   * Makes an attempt as soon as the breaker allows and a slot is free, and counts its outcome. A rejection is an unknown
   * outcome. If the attempt is a probe and fails, the call goes back to the queue.
   * @param isUrgent the call goes before the others, and ends a pause, until its first probe has failed.
   * @throws the error of the attempt; the reason of the signal if the signal aborts first.
   */
  async run<T>(attempt: () => Promise<T>, signal: AbortState, isUrgent = false): Promise<T> {
    this.#calls += 1;
    try {
      for (let isFirst = isUrgent; ; ) {
        signal.throwIfAborted();
        if (!this.#mayPass) {
          if (!(await this.#turn(signal, isFirst))) continue;
          const probed = await this.#probe(attempt, signal, isFirst);
          if (probed !== undefined) return probed.result;
          isFirst = false;
          continue;
        }
        const slot = this.#options.takeSlot('call', signal, isFirst);
        const release = typeof slot === 'function' ? slot : await slot;
        try {
          // The breaker may have opened while the call waited for its slot.
          if (this.#mayPass && !signal.aborted) return await this.#attempt(attempt, signal);
        } finally {
          release();
        }
      }
    } finally {
      this.#calls -= 1;
      // Also after a call that was admitted and then stopped before its attempt: no other call may be under way.
      this.#admit();
    }
  }

  /** Stops the timer. Waiting calls end when their own signals abort. */
  dispose(): void {
    this.#pause?.abort();
  }

  get #mayPass(): boolean {
    return this.#state === 'closed' && this.#window.room > 0;
  }

  /**
   * Makes an attempt. An attempt or a probe that its caller stops is not counted, because it says nothing about the
   * supplier.
   */
  #attempt<T>(attempt: () => Promise<T>, signal: AbortState): Promise<T> {
    this.#window.begun();
    return attempt().then(
      (result) => {
        this.#window.answered();
        this.#failures = 0;
        this.#window.ended();
        return result;
      },
      (error: unknown) => {
        if (!signal.aborted) this.#noteFailure();
        this.#window.ended();
        throw error;
      },
    );
  }

  #noteFailure(): void {
    this.#window.unanswered();
    // The attempt may have begun before the breaker opened.
    if (this.#state !== 'closed') return;
    this.#failures += 1;
    if (this.#failures >= this.#options.failuresToOpen) this.#open();
  }

  /** Waits in the queue. Resolves with true if this call has to probe, or with false if this call may try to pass. */
  async #turn(signal: AbortState, isUrgent: boolean): Promise<boolean> {
    const turn = this.#waiting.wait(signal, isUrgent);
    if (isUrgent && this.#state === 'open') this.#becomeDue();
    else this.#letFirstProbe();
    const isProbe = await turn;
    if (!isProbe || !signal.aborted) return isProbe;
    // This call was stopped in the same turn of the event loop, so the next caller probes instead.
    this.#becomeDue();
    throw signal.reason;
  }

  /** Undefined if the probe has failed or was stopped. It does not count as an attempt of this call. */
  async #probe<T>(
    attempt: () => Promise<T>,
    signal: AbortState,
    isUrgent: boolean,
  ): Promise<{ readonly result: T } | undefined> {
    let release: ReleaseSlot | undefined;
    try {
      release = await this.#options.takeSlot('probe', signal, isUrgent);
      const result = await attempt();
      this.#close();
      return { result };
    } catch {
      if (signal.aborted) this.#becomeDue();
      else this.#open();
      return undefined;
    } finally {
      release?.();
    }
  }

  /** While the breaker is closed, lets as many waiting calls pass as the congestion window allows. */
  #admit(): void {
    if (this.#state !== 'closed') return;
    for (let { room } = this.#window; room > 0 && this.#waiting.admit(false); room--);
  }

  /** Returns whether a call probes now. */
  #letFirstProbe(): boolean {
    if (this.#state !== 'due' || !this.#waiting.admit(true)) return false;
    this.#state = 'probing';
    this.#options.onStep('probing');
    return true;
  }

  #open(): void {
    const { reopenAfterMs: firstMs, reopenAfterMaxMs: maxMs } = this.#options;
    this.#state = 'open';
    this.#opened += 1;
    this.#window.shut();
    this.#pause = new Abort();
    this.#options.onStep('open');
    void this.#endPause(backoffMs(this.#opened, { firstMs, maxMs }), this.#pause);
  }

  async #endPause(ms: number, signal: AbortState): Promise<void> {
    await this.#options.clock.sleep(ms, signal);
    if (!signal.aborted) this.#becomeDue();
  }

  /** Lets the first waiting call probe. If no call waits, the next new call probes. */
  #becomeDue(): void {
    this.#pause?.abort();
    this.#state = 'due';
    if (!this.#letFirstProbe()) this.#options.onStep('due');
  }

  #close(): void {
    this.#state = 'closed';
    this.#opened = 0;
    this.#failures = 0;
    this.#options.onStep('closed');
    this.#admit();
  }
}

/** The limit right after a supplier has come back, in calls. */
const sizeFirst = 8;
/** The lower bound of the threshold when the breaker opens. Up to the threshold the window grows fast. */
const thresholdMin = 64;
/** The window has no limit from this size on, because a package never has more calls under way. */
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

  get isUnlimited(): boolean {
    return this.#size === Number.POSITIVE_INFINITY;
  }

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
    if (this.isUnlimited) return;
    this.#size += this.#size < this.#threshold ? 1 : 1 / this.#size;
    if (this.#size >= sizeMax) this.#size = Number.POSITIVE_INFINITY;
  }

  unanswered(): void {
    if (this.isUnlimited) return;
    this.#threshold = Math.max(sizeFirst, this.#size / 2);
    this.#size = this.#threshold;
  }

  /** Called when the supplier goes away, so that the limit is low when the supplier comes back. */
  shut(): void {
    this.#threshold = Math.max(thresholdMin, Math.min(this.#size, this.#underWay) / 2);
    this.#size = sizeFirst;
  }
}
