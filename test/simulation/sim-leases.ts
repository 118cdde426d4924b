import type { Lease, Leases } from '../../src/cluster/lease.ts';
import type { Clock } from '../../src/lib/clock.ts';
import type { SimHost, World } from './world.ts';

interface Held {
  readonly token: number;
  readonly until: number;
  readonly holder: SimHost;
}

/** The state of the lease service: the holder and the end of each lease, by the service's own clock. */
export class LeaseCore {
  readonly #held = new Map<number, Held>();
  #tokens = 0;

  isHeld(packageId: number, now: number): boolean {
    return this.holder(packageId, now) !== undefined;
  }

  holder(packageId: number, now: number): SimHost | undefined {
    const held = this.#held.get(packageId);
    return held !== undefined && held.until > now ? held.holder : undefined;
  }

  /**
   * Grants a lease.
   * @param isForced grants the lease even while another instance holds it.
   */
  grant(
    packageId: number,
    holder: SimHost,
    now: number,
    ttlMs: number,
    isForced: boolean,
  ): number | undefined {
    if (this.isHeld(packageId, now) && !isForced) return undefined;
    const token = ++this.#tokens;
    this.#held.set(packageId, { token, until: now + ttlMs, holder });
    return token;
  }

  extend(packageId: number, token: number, now: number, ttlMs: number): boolean {
    const held = this.#held.get(packageId);
    if (held?.token !== token || held.until <= now) return false;
    this.#held.set(packageId, { ...held, until: now + ttlMs });
    return true;
  }

  release(packageId: number, token: number): void {
    if (this.#held.get(packageId)?.token === token) this.#held.delete(packageId);
  }

  /** Loses all leases, as a restart without persistence does. */
  wipe(): void {
    this.#held.clear();
  }
}

export interface SimLeasesOptions {
  readonly world: World;
  readonly host: SimHost;
  readonly core: LeaseCore;
  readonly ttlMs: number;
  /** Whether the service is unreachable. */
  readonly isAway?: (host: SimHost) => boolean;
}

/** The leases of one process. The service may grant a lease twice, lose it or not answer. */
export function simLeases(options: SimLeasesOptions): Leases {
  const { world, host, core, ttlMs } = options;
  const { scheduler } = world;
  const granted = new Set<SimLease>();
  return {
    async acquire(packageId) {
      const clock = world.clockOf(host);
      const askedAt = { monotonic: scheduler.now, wall: clock.now() };
      const token = await world.call(host, `lease ${packageId}`, {
        serve: () => {
          const isForced = core.isHeld(packageId, scheduler.now) && world.strikes('leaseTwice');
          return core.grant(packageId, host, scheduler.now, ttlMs, isForced);
        },
        lost: 'leaseLost',
        failed: () => options.isAway?.(host) === true,
        unavailable: noAnswer,
      });
      if (token === undefined) return undefined;
      const lease = new SimLease(options, packageId, token, clock, askedAt);
      granted.add(lease);
      return lease;
    },
    ping: async () => {},
    async close() {
      await Promise.all([...granted].map((lease) => lease.release()));
    },
  };
}

interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

/**
 * The holder ends its lease earlier than the service by this share of the time to live, by a monotonic clock and by the
 * wall clock.
 */
const marginShare = 0.05;

class SimLease implements Lease {
  readonly lost: AbortSignal;
  readonly #lost = new AbortController();
  readonly #options: SimLeasesOptions;
  readonly #packageId: number;
  readonly #token: number;
  readonly #clock: Clock;
  #end: Moment;
  #isOver = false;

  constructor(options: SimLeasesOptions, packageId: number, token: number, clock: Clock, askedAt: Moment) {
    this.lost = this.#lost.signal;
    this.#options = options;
    this.#packageId = packageId;
    this.#token = token;
    this.#clock = clock;
    this.#end = this.#endAfter(askedAt);
    void this.#keep();
  }

  isHeld(): boolean {
    if (this.#isOver) return false;
    const { scheduler } = this.#options.world;
    if (scheduler.now < this.#end.monotonic && this.#clock.now() < this.#end.wall) return true;
    this.#lose();
    return false;
  }

  async release(): Promise<void> {
    this.#isOver = true;
    const { world, host, core, isAway } = this.#options;
    const released = world.call(host, `release ${this.#packageId}`, {
      serve: () => core.release(this.#packageId, this.#token),
      lost: 'leaseLost',
      failed: () => isAway?.(host) === true,
      unavailable: noAnswer,
    });
    await released.catch(() => {});
  }

  async #keep(): Promise<void> {
    const { world, host, core, ttlMs, isAway } = this.#options;
    const { scheduler } = world;
    while (this.isHeld()) {
      await this.#clock.sleep(ttlMs / 3);
      if (this.#isOver) return;
      const askedAt = { monotonic: scheduler.now, wall: this.#clock.now() };
      const extended = world.call(host, `extend ${this.#packageId}`, {
        serve: () => core.extend(this.#packageId, this.#token, scheduler.now, ttlMs),
        lost: 'leaseLost',
        failed: () => isAway?.(host) === true,
        unavailable: noAnswer,
      });
      const isExtended = await extended.catch(() => undefined);
      if (isExtended === true) this.#end = this.#endAfter(askedAt);
      else if (isExtended === false) this.#lose();
    }
  }

  #endAfter({ monotonic, wall }: Moment): Moment {
    const lasts = this.#options.ttlMs * (1 - marginShare);
    return { monotonic: monotonic + lasts, wall: wall + lasts };
  }

  #lose(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.world.counters.count('lease lost');
    this.#lost.abort(new Error(`the lease of package ${this.#packageId} is in doubt`));
  }
}

function noAnswer(): Error {
  return new Error('the lease service does not answer');
}
