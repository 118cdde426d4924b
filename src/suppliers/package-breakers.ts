import type { AbortState } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { Generations } from '../lib/generations.ts';
import { CircuitBreaker, type CircuitBreakerOptions } from './circuit-breaker.ts';
import { FairSlots } from './fair-slots.ts';
import type { FailingSupplier } from './suppliers.ts';

export interface PackageBreakersOptions
  extends Pick<CircuitBreakerOptions, 'failuresToOpen' | 'reopenAfterMs' | 'reopenAfterMaxMs'> {
  readonly clock: Clock;
  /** The slots of attempts. Probes have their own. */
  readonly slots: FairSlots;
  /** Called when `available` of this package may have changed. */
  readonly onStep: (packageId: number) => void;
  /** Called when a package's breaker opens after it was closed, and when it closes after that. */
  readonly onTurn: (packageId: number, turn: 'fails' | 'answers') => void;
}

/**
 * Probes under way at once. They are few, so that thousands of packages that fail leave the slots to packages that work.
 */
const probesMax = 256;
/** How long an answer of the supplier counts as recent at least, and at most twice as long, in ms. */
const recentMs = 30_000;
/** The most failing packages that are named. */
const firstPackagesMax = 100;
/** So many packages must fail before a package without a recent answer has to probe first. */
const suspectMin = 3;

/**
 * The circuit breakers of one kind of supplier, one for each package that calls it. So one flight that hangs stops the
 * sale of its own package only.
 *
 * Breakers work together in one case: while most of the packages that were called recently fail, a package without a
 * recent answer has to begin with a probe. So a supplier that is away for all packages gets a single call of each,
 * and not a series of failures of each.
 */
export class PackageBreakers {
  readonly #options: PackageBreakersOptions;
  readonly #probes = new FairSlots(probesMax);
  /** Only of packages with calls under way, or whose supplier has failed recently. */
  readonly #breakers = new Map<number, CircuitBreaker>();
  /** Packages whose breaker has opened and not closed again, with the time of that, as Unix time in ms. */
  readonly #failing = new Map<number, number>();
  /** Packages that got an answer recently. */
  readonly #answered: Generations<number, true>;
  /** When breakers that nobody uses were forgotten last. */
  #tidiedAt: number;

  constructor(options: PackageBreakersOptions) {
    this.#options = options;
    this.#answered = new Generations(recentMs, options.clock);
    this.#tidiedAt = options.clock.monotonic();
  }

  /** Whether a new call of this package makes sense. */
  available(packageId: number): boolean {
    return this.#breakers.get(packageId)?.available ?? true;
  }

  /** Whether most packages that called recently get no answers. */
  get isMostlyFailing(): boolean {
    this.#forgetUnused();
    return this.#failing.size > this.#answered.size;
  }

  /** The packages that get no answers. Undefined if there are none. Forgets those that nobody has called for a while. */
  listFailing(): Omit<FailingSupplier, 'supplier'> | undefined {
    this.#forgetUnused();
    const firstPackages: number[] = [];
    for (const packageId of this.#failing.keys())
      if (firstPackages.push(packageId) === firstPackagesMax) break;
    const [since] = this.#failing.values();
    return since === undefined ? undefined : { packages: this.#failing.size, firstPackages, since };
  }

  /** Breakers in memory. */
  get size(): number {
    return this.#breakers.size;
  }

  /** Makes an attempt. See {@link CircuitBreaker.run}. */
  async run<T>(
    packageId: number,
    attempt: () => Promise<T>,
    signal: AbortState,
    isUrgent: boolean,
  ): Promise<T> {
    this.#forgetUnused();
    const breaker = this.#breakers.get(packageId) ?? this.#create(packageId);
    try {
      const result = await breaker.run(attempt, signal, isUrgent);
      this.#noteAnswer(packageId);
      return result;
    } finally {
      // Another call that ended just before may have removed it, and a later call may have made the next one.
      if (breaker.isFresh && this.#breakers.get(packageId) === breaker) this.#breakers.delete(packageId);
    }
  }

  /** Stops the timers. */
  dispose(): void {
    for (const breaker of this.#breakers.values()) breaker.dispose();
  }

  #create(packageId: number): CircuitBreaker {
    const { clock, slots, failuresToOpen, reopenAfterMs, reopenAfterMaxMs, onStep } = this.#options;
    const hasAnswered = this.#answered.get(packageId) === true;
    const breaker = new CircuitBreaker({
      ...{ clock, failuresToOpen, reopenAfterMs, reopenAfterMaxMs },
      isSuspect: !hasAnswered && this.#failing.size >= suspectMin && this.isMostlyFailing,
      takeSlot: (what, signal, isUrgent) =>
        (what === 'probe' ? this.#probes : slots).take(packageId, signal, isUrgent),
      onStep: (step) => {
        if (step === 'open') this.#noteFailing(packageId);
        if (step === 'closed') this.#noteClosed(packageId);
        onStep(packageId);
      },
    });
    this.#breakers.set(packageId, breaker);
    return breaker;
  }

  #noteAnswer(packageId: number): void {
    if (!this.#failing.has(packageId)) this.#answered.set(packageId, true);
  }

  #noteFailing(packageId: number): void {
    if (this.#failing.has(packageId)) return;
    this.#failing.set(packageId, this.#options.clock.now());
    this.#answered.delete(packageId);
    this.#options.onTurn(packageId, 'fails');
  }

  #noteClosed(packageId: number): void {
    if (this.#failing.delete(packageId)) this.#options.onTurn(packageId, 'answers');
  }

  /** Forgets breakers that nobody uses. Not with every call, because it looks at all of them. */
  #forgetUnused(): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#tidiedAt < recentMs) return;
    this.#tidiedAt = now;
    for (const [packageId, breaker] of this.#breakers) {
      if (!breaker.isIdle) continue;
      this.#breakers.delete(packageId);
      this.#failing.delete(packageId);
    }
  }
}
