import type { Leases } from '../cluster/lease.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../storage/store.ts';

export interface ReadinessOptions {
  readonly store: Pick<Store, 'ping' | 'probe'>;
  readonly clock: Clock;
  /** Present if packages are owned by leases. */
  readonly leases?: Pick<Leases, 'ping'>;
}

export interface InstanceCondition {
  readonly isDraining: boolean;
  readonly isTransportAvailable: boolean;
}

/** The store is written to, and the lease service is asked, once in this time at most. */
const lookEveryMs = 2_000;
/** After a failed test write, the next one waits longer, because it may have blocked other writes until it failed. */
const writeAgainMs = 5_000;

/** Finds the reasons why an engine cannot take orders. */
export class Readiness {
  readonly #store: ReadinessOptions['store'];
  readonly #looks: readonly Probe[];

  constructor({ store, clock, leases }: ReadinessOptions) {
    this.#store = store;
    const takesWrites = new Probe(clock, () => store.probe(), 'the store takes no writes', writeAgainMs);
    const leasesAnswer = leases && new Probe(clock, () => leases.ping(), 'the lease service does not answer');
    this.#looks = leasesAnswer === undefined ? [takesWrites] : [takesWrites, leasesAnswer];
  }

  /** The reasons as text; empty when ready. */
  async problems({ isDraining, isTransportAvailable }: InstanceCondition): Promise<string[]> {
    if (isDraining) return ['this instance is draining'];
    const transportProblems = isTransportAvailable ? [] : ['Redis does not answer'];
    try {
      await this.#store.ping();
    } catch (error) {
      // A store that does not answer takes no writes either, so the probes are skipped.
      return [...transportProblems, `the store does not answer: ${reasonOf(error)}`];
    }
    const found = await Promise.all(this.#looks.map((look) => look.problem()));
    return [...transportProblems, ...found.filter((problem) => problem !== undefined)];
  }
}

/** Checks something at intervals, and returns the last result in between. */
class Probe {
  readonly #clock: Clock;
  readonly #work: () => Promise<void>;
  readonly #description: string;
  readonly #againMs: number;
  #problem: Promise<string | undefined> | undefined;
  #lookAgainAt = Number.NEGATIVE_INFINITY;

  /** @param againMs time until the next check after a failure */
  constructor(clock: Clock, work: () => Promise<void>, description: string, againMs = lookEveryMs) {
    this.#clock = clock;
    this.#work = work;
    this.#description = description;
    this.#againMs = againMs;
  }

  problem(): Promise<string | undefined> {
    if (this.#problem === undefined || this.#clock.now() >= this.#lookAgainAt) {
      // One check at a time.
      this.#lookAgainAt = Number.POSITIVE_INFINITY;
      this.#problem = this.#look();
    }
    return this.#problem;
  }

  async #look(): Promise<string | undefined> {
    try {
      await this.#work();
      this.#lookAgainAt = this.#clock.now() + lookEveryMs;
      return undefined;
    } catch (error) {
      this.#lookAgainAt = this.#clock.now() + this.#againMs;
      return `${this.#description}: ${reasonOf(error)}`;
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
