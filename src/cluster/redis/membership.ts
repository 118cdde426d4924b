import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observability/log.ts';
import type { RedisTime } from './redis-time.ts';
import type { Announced, Announcer, MembershipKeys, Scripts } from './scripts.ts';

export interface MembershipOptions {
  readonly scripts: Pick<Scripts, 'announce' | 'leave'>;
  readonly keys: MembershipKeys;
  readonly announcer: Announcer;
  /** ms without an announcement after which an instance is no longer a member. */
  readonly silenceMs: number;
  readonly time: RedisTime;
  readonly clock: Clock;
  readonly log: Log;
  /** Called after each call to Redis with whether Redis answered. */
  readonly onContact: (reached: boolean) => void;
  /** Called once if another process has become a member under the id of this instance. */
  readonly onTaken: () => void;
}

type Listener = (members: readonly string[]) => void;

/** Another running process is a member under the id of this instance. */
export class InstanceIdTakenError extends Error {
  override readonly name = 'InstanceIdTakenError';

  constructor(instance: string) {
    super(`another running instance has the INSTANCE_ID ${instance}: each instance needs its own`);
  }
}

/** How often an instance announces itself within `silenceMs`. */
const announcementsPerSilence = 4;

/**
 * The instances of the cluster. Each announces itself every quarter of `silenceMs` and stops being a member after
 * `silenceMs` without an announcement. While Redis does not answer, the last list remains valid. If Redis was wiped or
 * paused, it has lost the announcements of all instances. This instance then misses its own announcement, and removes
 * no member until all had time to announce themselves again.
 *
 * One process at a time is a member under an id. After a crash, the next process waits until its predecessor has been
 * silent for `silenceMs`. If the other process goes on announcing itself, it is running, and this one must end.
 */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #intervalMs: number;
  readonly #listeners = new Set<Listener>();
  #members: readonly string[] = [];
  #isAnnouncing = false;
  #wasAnnounced = false;
  /** Whether the last call to Redis failed. Redis may have executed this call later. */
  #hasFailed = false;
  #refreshing: Promise<void> | undefined;
  /** Before this time no member is removed. In ms on the monotonic clock. */
  #unsettledUntil = Number.NEGATIVE_INFINITY;
  #wakeUp = new AbortController();
  /** Since when another process has had the id of this instance, on the monotonic clock. Undefined if none has it. */
  #takenSince: number | undefined;
  /** Whether the other process is certainly running. */
  #isDuplicate = false;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#intervalMs = Math.ceil(options.silenceMs / announcementsPerSilence);
  }

  /** The ids of the members, sorted. */
  get members(): readonly string[] {
    return this.#members;
  }

  /** Calls the listener after every change. Returns a function that removes the listener. */
  onChange(listener: Listener): () => void {
    // A wrapper, so that the same listener can be added twice and removed once.
    const own: Listener = (members) => listener(members);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /**
   * Announces this instance until the signal aborts. Resolves when it is a member, or when Redis does not answer.
   * @throws InstanceIdTakenError if another running process has its id.
   */
  async start(stop: AbortSignal): Promise<void> {
    const { announcer, clock } = this.#options;
    this.#isAnnouncing = true;
    stop.addEventListener('abort', () => this.refreshSoon(), { once: true });
    await this.#refresh();
    while (this.#takenSince !== undefined && !this.#hasFailed && !stop.aborted) {
      if (this.#isDuplicate) throw new InstanceIdTakenError(announcer.instance);
      await clock.sleep(this.#intervalMs);
      await this.#refresh();
    }
    void this.#run(stop);
  }

  /** Makes the next announcement at once instead of after the interval. */
  refreshSoon(): void {
    this.#wakeUp.abort();
  }

  /** Whether the instance is a member. Asks Redis if the list does not contain the instance. */
  async has(instance: string): Promise<boolean> {
    if (this.#members.includes(instance)) return true;
    // Redis may have executed a call under way before the instance joined, so its reply does not count.
    if (this.#refreshing !== undefined) await this.#refreshing;
    if (!this.#members.includes(instance)) await this.#refresh();
    return this.#members.includes(instance);
  }

  /**
   * Stops the announcements and removes this instance with `remove`. If the removal fails, the other instances notice
   * the missing announcements. The list is still refreshed.
   */
  async leave(): Promise<void> {
    const { scripts, keys, announcer } = this.#options;
    this.#isAnnouncing = false;
    await this.#refreshing;
    try {
      await scripts.leave(keys, announcer);
    } catch (err) {
      this.#options.log.warn({ err }, 'this instance could not sign off: it will be missed by its silence');
    }
    this.#setMembers(this.#members.filter((member) => member !== announcer.instance));
  }

  async #run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.#options.clock.sleep(this.#intervalMs, this.#wakeUp.signal);
      this.#wakeUp = new AbortController();
      if (stop.aborted) return;
      const wasDuplicate = this.#isDuplicate;
      await this.#refresh();
      if (this.#isDuplicate && !wasDuplicate) this.#options.onTaken();
    }
  }

  /** Concurrent callers share one call to Redis. */
  #refresh(): Promise<void> {
    this.#refreshing ??= this.#announce().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #announce(): Promise<void> {
    const { scripts, keys, announcer, silenceMs, time, clock, onContact } = this.#options;
    const isAnnouncing = this.#isAnnouncing;
    const who = isAnnouncing ? announcer : { ...announcer, instance: '' };
    const askedAt = clock.monotonic();
    try {
      const announced = await scripts.announce(keys, who, silenceMs);
      time.update(announced.now, askedAt);
      onContact(true);
      this.#take(announced, isAnnouncing);
    } catch {
      this.#hasFailed = true;
      onContact(false);
    }
  }

  #take({ was, isTaken, members }: Announced, wasAnnouncing: boolean): void {
    const now = this.#options.clock.monotonic();
    this.#takenSince = isTaken ? (this.#takenSince ?? now) : undefined;
    // A process that has ended is silent for at most `silenceMs`, and a look is late by one interval.
    this.#isDuplicate = now - (this.#takenSince ?? now) > this.#options.silenceMs + this.#intervalMs;
    const wasForgotten = wasAnnouncing && !was && !isTaken;
    if (this.#wasAnnounced && (wasForgotten || this.#hasFailed)) {
      this.#unsettledUntil = now + 2 * this.#intervalMs;
    }
    this.#wasAnnounced ||= wasAnnouncing;
    this.#hasFailed = false;
    const isSettled = now >= this.#unsettledUntil;
    this.#setMembers(isSettled ? members : [...new Set([...this.#members, ...members])].sort());
  }

  #setMembers(members: readonly string[]): void {
    if (members.join() === this.#members.join()) return;
    this.#members = members;
    for (const listener of this.#listeners) {
      try {
        listener(members);
      } catch (err) {
        this.#options.log.error({ err }, 'a listener to the members failed');
      }
    }
  }
}
