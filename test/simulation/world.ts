import type { Clock } from '../../src/lib/clock.ts';
import { Counters } from './counters.ts';
import { type FaultRates, noFaults } from './faults.ts';
import type { Prng } from './prng.ts';
import type { Host, Scheduler } from './scheduler.ts';

/** A process that runs an instance until it crashes. A restart is a new host, maybe with the same name. */
export interface SimHost extends Host {
  /** Offset of the process's wall clock, in ms. */
  clockOffsetMs: number;
  /** The number of its release. It cannot own a package that a newer release has owned. */
  readonly release: number;
  /** The takeovers that have raised the epoch and still read the orders. */
  takeovers: number;
}

/** Makes a new process. */
export function simHost(name: string, onCrash: (host: SimHost, why: string) => void, release = 1): SimHost {
  const host: SimHost = {
    name,
    isAlive: true,
    pausedUntil: 0,
    clockOffsetMs: 0,
    release,
    takeovers: 0,
    crash: (why) => onCrash(host, why),
  };
  return host;
}

/** The shared state of one simulation. */
export class World {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly counters = new Counters();
  /** The fault rates that were drawn for this seed. They stay the same after `heal`. */
  readonly drawn: FaultRates;
  #faults: FaultRates;
  #healedAt: number | undefined;
  /** The first broken promise or unexpected error. It ends the simulation. */
  #violation: string | undefined;

  constructor(scheduler: Scheduler, prng: Prng, faults: FaultRates) {
    this.scheduler = scheduler;
    this.prng = prng;
    this.drawn = faults;
    this.#faults = faults;
    scheduler.onStep = (host, what) => {
      if (this.strikes('crashStep')) host.crash(`just before: ${what}`);
    };
  }

  get faults(): FaultRates {
    return this.#faults;
  }

  get violation(): string | undefined {
    return this.#violation;
  }

  /** Ends all faults. */
  heal(): void {
    this.#faults = noFaults;
    this.#healedAt = this.scheduler.now;
  }

  /** Time since `heal`, in ms; 0 before. */
  get calmMs(): number {
    return this.#healedAt === undefined ? 0 : this.scheduler.now - this.#healedAt;
  }

  /** Draws whether a fault occurs. Counts the faults that do. */
  strikes(fault: keyof FaultRates): boolean {
    const isStruck = this.prng.chance(this.#faults[fault]);
    if (isStruck) this.counters.count(`fault ${fault}`);
    return isStruck;
  }

  /**
   * Records a broken promise and ends the simulation.
   * @param cause its stack is added to the trace.
   */
  violate(rule: string, words: string, cause?: unknown): void {
    if (this.#violation !== undefined) return;
    this.#violation = `${rule} ${words}`;
    this.scheduler.note(`VIOLATION ${this.#violation}`);
    if (cause instanceof Error) this.scheduler.remark(cause.stack ?? cause.message);
  }

  require(holds: boolean, rule: string, words: () => string): void {
    if (!holds) this.violate(rule, words());
  }

  clockOf(host: SimHost): Clock {
    const { scheduler } = this;
    return {
      now: () => Math.round(epochMs + scheduler.now + host.clockOffsetMs),
      monotonic: () => scheduler.now,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted) return resolve();
          const done = () => {
            cancel();
            signal?.removeEventListener('abort', done);
            resolve();
          };
          signal?.addEventListener('abort', done);
          const cancel = scheduler.after(ms, 'timer', done, host);
        }),
    };
  }

  #pause(host: SimHost): void {
    const ms = this.prng.pick(pausesMs);
    if (ms > longPauseMs) this.counters.count('paused past the lease');
    if (ms > longPauseMs && host.takeovers > 0) this.counters.count('paused within a takeover');
    // Do not shorten a longer pause.
    host.pausedUntil = Math.max(host.pausedUntil, this.scheduler.now + ms);
  }

  /**
   * Makes a call from a process to an external service. `serve` runs at the service after a delay, and its result
   * returns after another delay. Meanwhile the process may crash or pause, and the call or its reply may be lost.
   */
  call<T>(host: SimHost, what: string, options: CallOptions<T>): Promise<T> {
    const { scheduler, prng } = this;
    const { serve, lost, replyLost, failed } = options;
    return new Promise((resolve, reject) => {
      if (!host.isAlive) return;
      if (this.strikes('crashBefore')) return host.crash(`before ${what}`);
      if (this.strikes('pause')) this.#pause(host);
      const isLost = failed?.() === true || (lost !== undefined && this.strikes(lost));
      const thereMs = prng.between(0.1, 3);
      if (isLost) {
        const reportMs = prng.pick([1, 50, 1_000]);
        scheduler.after(reportMs, `${what} failed`, () => reject(options.unavailable(false)), host);
        return;
      }
      const isReplyLost = replyLost !== undefined && this.strikes(replyLost);
      const crashesAfter = this.strikes('crashAfter');
      scheduler.after(thereMs, `${host.name} → ${what}`, () => {
        // The call takes effect even if its sender has crashed meanwhile.
        let settle: () => void;
        try {
          const result = serve();
          settle = () => resolve(result);
        } catch (error) {
          settle = () => reject(error);
        }
        if (crashesAfter && host.isAlive) return host.crash(`after ${what}`);
        if (isReplyLost) {
          const reportMs = prng.pick([10, 1_000, 5_000]);
          scheduler.after(reportMs, `${what}: no reply`, () => reject(options.unavailable(true)), host);
          return;
        }
        scheduler.after(prng.between(0.1, 3), `${what} ←`, settle, host);
      });
    });
  }
}

const pausesMs = [20, 200, 2_000, 8_000, 20_000];
/** The length of a long pause, in ms. It is longer than any lease lasts. */
const longPauseMs = 5_000;

/** The start of simulated time. */
export const epochMs = Date.UTC(2030, 0, 1);

export interface CallOptions<T> {
  /** The work of the service. It runs as one atomic step. */
  readonly serve: () => T;
  readonly lost?: keyof FaultRates;
  readonly replyLost?: keyof FaultRates;
  /** Whether the service is unreachable. */
  readonly failed?: () => boolean;
  /** Makes the error for a call without a reply. */
  readonly unavailable: (mayBeDone: boolean) => Error;
}
