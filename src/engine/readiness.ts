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

/** Shortest interval between two test writes to the store, and between two requests to the lease service. */
const lookEveryMs = 2_000;
/** Interval after a failed test write. It is longer, because a test write may block other writes until it fails. */
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
      // A store that does not answer reads takes no writes either, so the probes are skipped.
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
    if (this.#problem === undefined || this.#clock.monotonic() >= this.#lookAgainAt) {
      // No second check begins while this one runs.
      this.#lookAgainAt = Number.POSITIVE_INFINITY;
      this.#problem = this.#look();
    }
    return this.#problem;
  }

  async #look(): Promise<string | undefined> {
    try {
      await this.#work();
      this.#lookAgainAt = this.#clock.monotonic() + lookEveryMs;
      return undefined;
    } catch (error) {
      this.#lookAgainAt = this.#clock.monotonic() + this.#againMs;
      return `${this.#description}: ${reasonOf(error)}`;
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
