import type { Clock } from '../../src/lib/clock.ts';
import { Counters } from './counters.ts';
import { type FaultRates, noFaults } from './faults.ts';
import type { Prng } from './prng.ts';
import type { Host, Scheduler } from './scheduler.ts';

/** A process that runs an instance. It dies with its crash: the next one has another name or a new life. */
export interface SimHost extends Host {
  /** How far its wall clock is off, in ms. */
  clockOffsetMs: number;
}

/** A process that has just begun. */
export function simHost(name: string, onCrash: (host: SimHost, why: string) => void): SimHost {
  const host: SimHost = {
    name,
    isAlive: true,
    pausedUntil: 0,
    clockOffsetMs: 0,
    crash: (why) => onCrash(host, why),
  };
  return host;
}

/** What all parts of one simulation share. */
export class World {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly counters = new Counters();
  /** The rates of this seed, also after everything was healed. */
  readonly drawn: FaultRates;
  #faults: FaultRates;
  #healedAt: number | undefined;
  /** Why the simulation must not go on: the first broken promise, or an error that nobody expected. */
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

  /** From here on everything works. */
  heal(): void {
    this.#faults = noFaults;
    this.#healedAt = this.scheduler.now;
  }

  /** For how many ms everything has worked again; 0 before. */
  get calmMs(): number {
    return this.#healedAt === undefined ? 0 : this.scheduler.now - this.#healedAt;
  }

  /** Tosses for a fault and counts it when it comes. */
  strikes(fault: keyof FaultRates): boolean {
    const isStruck = this.prng.chance(this.#faults[fault]);
    if (isStruck) this.counters.count(`fault ${fault}`);
    return isStruck;
  }

  /** @param cause is told with its stack to who reads the trace. */
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
    // Who stands still already stands still for that long at least.
    host.pausedUntil = Math.max(host.pausedUntil, this.scheduler.now + ms);
  }

  /**
   * A call from a process to a service outside of it: `serve` happens at the service some time later, and its result
   * comes back some time after that. On the way the process may crash, stand still, or lose the call or its reply.
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
        // A process that has ended meanwhile had sent its call before.
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
/** Longer than any lease lasts. */
const longPauseMs = 5_000;

/** When simulated time begins: any moment will do. */
export const epochMs = Date.UTC(2030, 0, 1);

export interface CallOptions<T> {
  /** Done at the service, at one moment. */
  readonly serve: () => T;
  readonly lost?: keyof FaultRates;
  readonly replyLost?: keyof FaultRates;
  /** The service cannot be reached now. */
  readonly failed?: () => boolean;
  /** What the caller gets when there is no reply. */
  readonly unavailable: (mayBeDone: boolean) => Error;
}
