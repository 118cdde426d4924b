import type { Leases } from '../cluster/lease.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../storage/store.ts';

export interface ReadinessOptions {
  readonly store: Pick<Store, 'ping' | 'probe'>;
  readonly clock: Clock;
  /** Where packages are owned by leases. */
  readonly leases?: Pick<Leases, 'ping'>;
}

export interface InstanceCondition {
  readonly isDraining: boolean;
  readonly isTransportAvailable: boolean;
}

/** However often somebody asks, the store is written to, and the lease service asked, so often at most. */
const lookEveryMs = 2_000;
/** A write that fails may have stood in everybody's way until it did. */
const writeAgainMs = 5_000;

/** What keeps an engine from taking orders. */
export class Readiness {
  readonly #store: ReadinessOptions['store'];
  readonly #looks: readonly Probe[];

  constructor({ store, clock, leases }: ReadinessOptions) {
    this.#store = store;
    const takesWrites = new Probe(clock, () => store.probe(), 'the store takes no writes', writeAgainMs);
    const leasesAnswer = leases && new Probe(clock, () => leases.ping(), 'the lease service does not answer');
    this.#looks = leasesAnswer === undefined ? [takesWrites] : [takesWrites, leasesAnswer];
  }

  /** In words; empty when nothing is missing. */
  async problems({ isDraining, isTransportAvailable }: InstanceCondition): Promise<string[]> {
    if (isDraining) return ['this instance is draining'];
    const carrier = isTransportAvailable ? [] : ['Redis does not answer'];
    try {
      await this.#store.ping();
    } catch (error) {
      // Nor does it take writes: that need not be found out, nor said.
      return [...carrier, `the store does not answer: ${reasonOf(error)}`];
    }
    const found = await Promise.all(this.#looks.map((look) => look.trouble()));
    return [...carrier, ...found.filter((trouble) => trouble !== undefined)];
  }
}

/** Looks whether something works, now and then; in between it goes by what was seen last. */
class Probe {
  readonly #clock: Clock;
  readonly #work: () => Promise<void>;
  readonly #words: string;
  readonly #againMs: number;
  #trouble: Promise<string | undefined> | undefined;
  #lookAgainAt = Number.NEGATIVE_INFINITY;

  /** @param againMs how long trouble is believed. */
  constructor(clock: Clock, work: () => Promise<void>, words: string, againMs = lookEveryMs) {
    this.#clock = clock;
    this.#work = work;
    this.#words = words;
    this.#againMs = againMs;
  }

  trouble(): Promise<string | undefined> {
    if (this.#trouble === undefined || this.#clock.now() >= this.#lookAgainAt) {
      // Until it has ended nobody looks again.
      this.#lookAgainAt = Number.POSITIVE_INFINITY;
      this.#trouble = this.#look();
    }
    return this.#trouble;
  }

  async #look(): Promise<string | undefined> {
    try {
      await this.#work();
      this.#lookAgainAt = this.#clock.now() + lookEveryMs;
      return undefined;
    } catch (error) {
      this.#lookAgainAt = this.#clock.now() + this.#againMs;
      return `${this.#words}: ${reasonOf(error)}`;
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
