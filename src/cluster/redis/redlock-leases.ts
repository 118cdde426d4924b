import type { Redis, RedisOptions } from 'ioredis';
import Redlock, { ExecutionError, type Lock, ResourceLockedError } from 'redlock';
import type { Clock } from '../../lib/clock.ts';
import { settlesWithin } from '../../lib/deadline.ts';
import { LogOnce } from '../../lib/log-once.ts';
import type { Log } from '../../observability/log.ts';
import type { Lease, Leases } from '../lease.ts';
import { firstAttempt } from './connector.ts';
import { HeldLease, type LeaseTimes } from './held-lease.ts';

export interface RedlockLeasesOptions {
  /** Each function opens a connection to one node. The nodes are an odd number of independent Redis servers. */
  readonly nodes: readonly ((purpose: string, options: RedisOptions) => Redis)[];
  /** Whole ms, at least 100. A lease that is not extended ends after this time. */
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** How often the leases are checked within the time to live. */
const checksPerTtl = 20;

const noMajority = 'no majority of the Redis nodes for leases answers';

/**
 * Leases by Redlock (https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/) over one or several
 * Redis nodes, under the key `lease:{<package id>}`. A lease is extended after a quarter to a third of its TTL. A lease
 * is lost when its key is gone or belongs to another instance. While the nodes do not answer, a lease is held until its
 * TTL ends. One timer checks all leases, and commands of one turn of the event loop are sent together.
 * @throws RangeError when the number of nodes is even, because two instances could each hold half of them.
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
  readonly #commandTimeoutMs: number;
  readonly #held = new Set<HeldLease>();
  readonly #closing = new AbortController();
  /** Settles after the first attempt to connect to each node. Commands wait for this, so that none fails too early. */
  #connecting: Promise<unknown> | undefined;
  #isChecking = false;
  readonly #problems = new LogOnce();

  constructor({ nodes, ttlMs, clock, log }: RedlockLeasesOptions) {
    if (nodes.length % 2 === 0) throw new RangeError('leases need an odd number of Redis nodes');
    this.#clock = clock;
    this.#log = log;
    this.#times = { ttlMs, clock };
    this.#commandTimeoutMs = Math.ceil(ttlMs / 4);
    this.#clients = nodes.map((connect) => connect('leases', connectionOptions(this.#commandTimeoutMs)));
    this.#redlock = new Redlock(this.#clients, { retryCount: 0 });
    this.#connecting = Promise.all(this.#clients.map(firstAttempt)).then(() => {
      this.#connecting = undefined;
    });
  }

  async acquire(packageId: number): Promise<Lease | undefined> {
    if (this.#closing.signal.aborted) throw new Error('leases are closed');
    await this.#connected();
    const askedAt = this.#clock.monotonic();
    const lock = await this.#lock(packageId);
    if (lock === undefined) return undefined;
    const lease = new HeldLease(packageId, lock, askedAt, this.#times, (ended) => this.#release(ended));
    this.#held.add(lease);
    if (!this.#isChecking) void this.#checkAll();
    // The lease may have expired, or this service may have been closed, while the answer was under way.
    if (lease.isHeld() && !this.#closing.signal.aborted) return lease;
    await lease.release();
    throw new Error(`the lease of package ${packageId} was granted too late`);
  }

  async ping(): Promise<void> {
    await this.#connected();
    const answers = await Promise.allSettled(this.#clients.map((client) => client.ping()));
    const failed = answers.filter((answer) => answer.status === 'rejected');
    if (failed.length * 2 >= answers.length) throw new Error(noMajority, { cause: failed[0]?.reason });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#held].map((lease) => lease.release()));
    for (const client of this.#clients) client.disconnect();
  }

  async #connected(): Promise<void> {
    if (this.#connecting === undefined) return;
    await settlesWithin(this.#commandTimeoutMs, this.#connecting, this.#clock);
  }

  /** Takes a lock; undefined when another instance holds it. @throws Error when no majority of the nodes answers. */
  async #lock(packageId: number): Promise<Lock | undefined> {
    try {
      const lock = await this.#redlock.acquire([`lease:{${packageId}}`], this.#times.ttlMs);
      this.#reachable();
      return lock;
    } catch (error) {
      const cause = await this.#unreachableCause(error);
      if (cause === undefined) return undefined;
      throw new Error(noMajority, { cause });
    }
  }

  /** Releases a lease. Takes at most the command timeout of the connections. */
  async #release(lease: HeldLease): Promise<void> {
    this.#held.delete(lease);
    try {
      await this.#redlock.release(lease.lock);
    } catch (err) {
      // This error is harmless, because the lock is gone already or will expire.
      this.#log.debug({ package: lease.packageId, err }, 'a lease could not be released');
    }
  }

  /** Runs while any lease is held: extends the leases that are due, and drops the leases that have expired. */
  async #checkAll(): Promise<void> {
    this.#isChecking = true;
    while (this.#held.size > 0 && !this.#closing.signal.aborted) {
      await this.#clock.sleep(this.#times.ttlMs / checksPerTtl, this.#closing.signal);
      for (const lease of this.#held) {
        if (!lease.isHeld()) this.#drop(lease, 'its time ran out');
        else if (lease.beginExtension()) void this.#extend(lease);
      }
    }
    this.#isChecking = false;
  }

  async #extend(lease: HeldLease): Promise<void> {
    const askedAt = this.#clock.monotonic();
    try {
      lease.extended(await this.#redlock.extend(lease.lock, this.#times.ttlMs), askedAt);
      this.#reachable();
    } catch (error) {
      lease.extensionFailed();
      const cause = await this.#unreachableCause(error);
      if (cause === undefined) this.#drop(lease, 'its key is gone or belongs to another');
    }
  }

  #drop(lease: HeldLease, why: string): void {
    if (!this.#held.delete(lease)) return;
    lease.lose(`the lease of package ${lease.packageId} is lost: ${why}`);
    this.#log.warn({ package: lease.packageId, why }, 'a lease was lost');
  }

  /**
   * The reason why no majority answered, or undefined if a majority refused the lock. Logs each change between the two.
   */
  async #unreachableCause(error: unknown): Promise<unknown> {
    const cause = await causeOf(error);
    if (cause === undefined) this.#reachable();
    else this.#problems.report('unreachable', () => this.#log.warn({ err: cause }, noMajority));
    return cause;
  }

  #reachable(): void {
    if (this.#problems.end()) this.#log.info({}, 'the Redis nodes for leases answer again');
  }
}

/** Commands fail at once instead of waiting for a connection, and are never sent twice. */
function connectionOptions(timeoutMs: number): RedisOptions {
  return {
    commandTimeout: timeoutMs,
    connectTimeout: timeoutMs,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: true,
  };
}

/**
 * Finds the cause of an error, because Redlock throws the same error for a lock of another instance and for nodes that
 * do not answer. Returns undefined if a majority answered, otherwise the reason why a node did not answer.
 */
async function causeOf(error: unknown): Promise<unknown> {
  if (!(error instanceof ExecutionError)) return error;
  // There are no attempts if Redlock considered the lock expired and sent nothing.
  const votes = await error.attempts.at(-1);
  if (votes === undefined) return error;
  const against = [...votes.votesAgainst.values()];
  const failures = against.filter((cause) => !(cause instanceof ResourceLockedError));
  const answered = votes.votesFor.size + against.length - failures.length;
  return answered >= votes.quorumSize ? undefined : (failures[0] ?? error);
}
