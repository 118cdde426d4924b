import type { Redis, RedisOptions } from 'ioredis';
import Redlock, { ExecutionError, type Lock, ResourceLockedError } from 'redlock';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observability/log.ts';
import type { Lease, Leases } from '../lease.ts';
import { HeldLease, type LeaseTimes } from './held-lease.ts';

export interface RedlockLeasesOptions {
  /** Opens a connection to each node: one, or an odd number of Redis servers that know nothing of each other. */
  readonly nodes: readonly ((purpose: string, options: RedisOptions) => Redis)[];
  /** Whole ms, at least 100. A lease that is not extended ends after so long. */
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** ms on a clock that never jumps. */
  readonly steady?: () => number;
}

/** How often per TTL the leases are looked after. */
const roundsPerTtl = 20;

/**
 * Leases by Redlock (https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/) over one or several
 * Redis nodes, under the key `lease:{<package id>}`. A lease is extended after a third of its time. It is lost when
 * its key is gone or somebody else's; when the nodes do not answer, it is kept for as long as its time surely lasts.
 * Thousands of leases cost one timer, and what is sent within a tick travels together.
 * @throws RangeError when the number of nodes is even: a tie would be no answer.
 */
export function redlockLeases(options: RedlockLeasesOptions): Leases {
  return new RedlockLeases(options);
}

class RedlockLeases implements Leases {
  readonly #clients: readonly Redis[];
  readonly #redlock: Redlock;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #times: LeaseTimes;
  /** No answer within this time is none. */
  readonly #patienceMs: number;
  readonly #held = new Set<HeldLease>();
  readonly #closing = new AbortController();
  /** Until every node was reached or refused once: nobody is blamed for a connection that is being made. */
  #firstContact: Promise<unknown> | undefined;
  #caring = false;
  #reachable = true;

  constructor({ nodes, ttlMs, clock, log, steady = () => performance.now() }: RedlockLeasesOptions) {
    if (nodes.length % 2 === 0) throw new RangeError('leases need an odd number of Redis nodes');
    this.#clock = clock;
    this.#log = log;
    this.#times = { ttlMs, steady, now: () => clock.now() };
    this.#patienceMs = Math.ceil(ttlMs / 4);
    this.#clients = nodes.map((connect) => connect('leases', connectionOptions(this.#patienceMs)));
    this.#redlock = new Redlock(this.#clients, { retryCount: 0 });
    this.#firstContact = Promise.all(this.#clients.map(firstReady)).then(() => {
      this.#firstContact = undefined;
    });
  }

  async acquire(packageId: number): Promise<Lease | undefined> {
    if (this.#closing.signal.aborted) throw new Error('leases are closed');
    await this.#connected();
    const askedAt = this.#times.steady();
    const lock = await this.#lock(packageId);
    if (lock === undefined) return undefined;
    const lease = new HeldLease(packageId, lock, askedAt, this.#times, (ended) => this.#release(ended));
    this.#held.add(lease);
    this.#care();
    // It may have run out while its answer was on the way.
    if (lease.isHeld() && !this.#closing.signal.aborted) return lease;
    await lease.release();
    throw new Error(`the lease of package ${packageId} was granted too late`);
  }

  async ping(): Promise<void> {
    await this.#connected();
    const answers = await Promise.allSettled(this.#clients.map((client) => client.ping()));
    const failed = answers.filter((answer) => answer.status === 'rejected');
    if (failed.length * 2 < answers.length) return;
    throw new Error('no majority of the Redis nodes for leases answers', { cause: failed[0]?.reason });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#held].map((lease) => lease.release()));
    for (const client of this.#clients) client.disconnect();
  }

  async #connected(): Promise<void> {
    if (this.#firstContact === undefined) return;
    await Promise.race([this.#firstContact, this.#clock.sleep(this.#patienceMs)]);
  }

  /** Undefined when it is somebody else's. @throws Error when no majority answers. */
  async #lock(packageId: number): Promise<Lock | undefined> {
    try {
      const lock = await this.#redlock.acquire([keyOf(packageId)], this.#times.ttlMs);
      this.#noteReachable(true);
      return lock;
    } catch (error) {
      const refusal = await classifyError(error);
      this.#noteReachable(refusal.kind === 'taken', refusal.cause);
      if (refusal.kind === 'taken') return undefined;
      throw new Error('no majority of the Redis nodes for leases answers', { cause: refusal.cause });
    }
  }

  /** Bounded by the connections' time limit. */
  async #release(lease: HeldLease): Promise<void> {
    this.#held.delete(lease);
    try {
      await this.#redlock.release(lease.lock);
    } catch (error) {
      // Gone already, or it ends by itself.
      this.#log.debug({ package: lease.packageId, err: error }, 'a lease could not be released');
    }
  }

  /** Looks after all leases from one timer, while there are any. */
  #care(): void {
    if (this.#caring) return;
    this.#caring = true;
    void this.#rounds().finally(() => {
      this.#caring = false;
    });
  }

  async #rounds(): Promise<void> {
    while (this.#held.size > 0 && !this.#closing.signal.aborted) {
      await this.#clock.sleep(this.#times.ttlMs / roundsPerTtl, this.#closing.signal);
      for (const lease of this.#held) {
        if (lease.isHeld()) {
          if (lease.takeExtension()) void this.#extend(lease);
        } else {
          this.#drop(lease, 'its time ran out');
        }
      }
    }
  }

  async #extend(lease: HeldLease): Promise<void> {
    const askedAt = this.#times.steady();
    try {
      lease.extended(await this.#redlock.extend(lease.lock, this.#times.ttlMs), askedAt);
      this.#noteReachable(true);
    } catch (error) {
      lease.notExtended();
      const refusal = await classifyError(error);
      this.#noteReachable(refusal.kind === 'taken', refusal.cause);
      if (refusal.kind === 'taken') this.#drop(lease, 'its key is gone or belongs to another');
    }
  }

  #drop(lease: HeldLease, why: string): void {
    if (!this.#held.delete(lease)) return;
    lease.lose(`the lease of package ${lease.packageId} is lost: ${why}`);
    this.#log.warn({ package: lease.packageId, why }, 'a lease was lost');
  }

  /** Said once per change, not once per lease. */
  #noteReachable(reachable: boolean, cause?: unknown): void {
    if (reachable === this.#reachable) return;
    this.#reachable = reachable;
    if (reachable) this.#log.info({}, 'the Redis nodes for leases answer again');
    else this.#log.warn({ err: cause }, 'no majority of the Redis nodes for leases answers');
  }
}

function keyOf(packageId: number): string {
  return `lease:{${packageId}}`;
}

/** A failure is seen at once, and nothing is sent a second time behind our back. */
function connectionOptions(patienceMs: number): RedisOptions {
  return {
    commandTimeout: patienceMs,
    connectTimeout: patienceMs,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: true,
  };
}

/** Resolves once the connection was there, or failed, for the first time. */
function firstReady(client: Redis): Promise<void> {
  return new Promise((resolve) => {
    client.once('ready', resolve);
    client.once('close', () => resolve());
  });
}

interface Refusal {
  /** `taken`: a majority answered, and it is not ours. */
  readonly kind: 'taken' | 'unreachable';
  readonly cause: unknown;
}

/** Redlock throws the same error for a lock that is somebody else's and for nodes that do not answer. */
async function classifyError(error: unknown): Promise<Refusal> {
  if (!(error instanceof ExecutionError)) return { kind: 'unreachable', cause: error };
  // An extension that came too late was not sent at all: the clock has its say.
  const votes = await error.attempts.at(-1);
  if (votes === undefined) return { kind: 'unreachable', cause: error };
  const against = [...votes.votesAgainst.values()];
  const failures = against.filter((cause) => !(cause instanceof ResourceLockedError));
  const answered = votes.votesFor.size + against.length - failures.length;
  return answered >= votes.quorumSize
    ? { kind: 'taken', cause: error }
    : { kind: 'unreachable', cause: failures[0] ?? error };
}
