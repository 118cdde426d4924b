import type { CancelRequest } from '../../src/suppliers/suppliers.ts';
import type { SimHost, World } from './world.ts';

/** A call of a saga, from its start to its outcome. */
interface Call {
  readonly packageId: number;
  readonly isUrgent: boolean;
  /** When the call began to wait for its first attempt; undefined after that. */
  waitsSince: number | undefined;
}

type Pool = 'reservations' | 'cancels' | 'look-ups';

/** The pool of slots that an attempt uses. */
function poolOf(what: string): Pool {
  if (what.startsWith('cancel')) return 'cancels';
  return what === 'look-up' ? 'look-ups' : 'reservations';
}

/** A call of a package whose supplier answers makes its first attempt within this time, in ms. */
const firstAttemptWithinMs = 10_000;
/** How long after a failed attempt a package may be slowed down, in ms. A call gives up after a minute. */
const slowedMs = 70_000;

/**
 * Checks of one process that a supplier which fails for one package does not delay another (Q12): no package has more than
 * its share of attempts under way, and the first attempt of a call is made soon if no attempt of its package failed.
 */
export class IsolationChecks {
  readonly #world: World;
  readonly #host: SimHost;
  readonly #slots: number;
  readonly #probes: number;
  /** Calls by what they do and their key. A saga that was stopped may still have one when the next begins. */
  readonly #calls = new Map<string, Call>();
  readonly #packages = new Map<string, number>();
  /** Attempts under way that are not urgent, by pool and package. */
  readonly #attempts = new Map<string, number>();
  /** When an attempt of each package failed last. */
  readonly #failedAt = new Map<number, number>();

  /** @param probes how many probes of a package's circuit breakers, which have slots of their own, may be under way */
  constructor(world: World, host: SimHost, slots: number, probes: number) {
    this.#world = world;
    this.#host = host;
    this.#slots = slots;
    this.#probes = probes;
  }

  packageOf(key: string): number {
    return this.#packages.get(key) as number;
  }

  /** Runs a call of a saga. */
  async during<T>(
    what: string,
    { key, packageId }: CancelRequest,
    isUrgent: boolean | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    const call = { packageId, isUrgent: isUrgent === true, waitsSince: this.#world.scheduler.now };
    this.#packages.set(key, packageId);
    this.#calls.set(`${what} ${key}`, call);
    try {
      return await work();
    } finally {
      if (this.#calls.get(`${what} ${key}`) === call) this.#calls.delete(`${what} ${key}`);
    }
  }

  /** An attempt begins. Returns the function to call when it ends. */
  attempt(what: string, key: string): (outcome: 'answered' | 'unknown') => void {
    const call = this.#calls.get(`${what} ${key}`);
    const packageId = this.packageOf(key);
    if (call !== undefined) this.#checkWait(call, what);
    if (call?.isUrgent === true) return (outcome) => this.#noteOutcome(packageId, outcome);
    const name = `${poolOf(what)} of package ${packageId}`;
    const underWay = (this.#attempts.get(name) ?? 0) + 1;
    this.#attempts.set(name, underWay);
    const share = Math.ceil(this.#slots / 2) + this.#probes;
    if (underWay >= this.#slots / 2) this.#world.counters.count('a package uses its share');
    this.#world.require(
      underWay <= share,
      'Q12',
      () => `${underWay} ${name} are under way, of ${this.#slots}`,
    );
    return (outcome) => {
      this.#attempts.set(name, (this.#attempts.get(name) ?? 1) - 1);
      this.#noteOutcome(packageId, outcome);
    };
  }

  #checkWait(call: Call, what: string): void {
    const { packageId, waitsSince } = call;
    if (waitsSince === undefined) return;
    call.waitsSince = undefined;
    const waitedMs = this.#world.scheduler.now - waitsSince;
    const mayBeSlow =
      this.#host.pausedUntil > waitsSince ||
      (this.#failedAt.get(packageId) ?? Number.NEGATIVE_INFINITY) > waitsSince - slowedMs;
    this.#world.require(
      mayBeSlow || waitedMs <= firstAttemptWithinMs,
      'Q12',
      () => `${what} of package ${packageId} waited ${Math.round(waitedMs)} ms for other packages`,
    );
  }

  #noteOutcome(packageId: number, outcome: 'answered' | 'unknown'): void {
    if (outcome === 'unknown') this.#failedAt.set(packageId, this.#world.scheduler.now);
  }
}
