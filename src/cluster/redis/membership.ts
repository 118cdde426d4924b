import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observability/log.ts';
import type { RedisTime } from './redis-time.ts';
import type { Announced, Scripts } from './scripts.ts';

export interface MembershipOptions {
  readonly scripts: Pick<Scripts, 'announce'>;
  readonly key: string;
  readonly instance: string;
  /** ms without an announcement after which an instance is no longer a member. */
  readonly silenceMs: number;
  readonly time: RedisTime;
  readonly clock: Clock;
  readonly log: Log;
  /** Called after each call to Redis with whether Redis answered. */
  readonly onContact: (reached: boolean) => void;
}

type Listener = (members: readonly string[]) => void;

/** How often an instance announces itself within `silenceMs`. */
const announcementsPerSilence = 4;

/**
 * The instances of the cluster. Each announces itself every quarter of `silenceMs` and stops being a member after
 * `silenceMs` without an announcement. While Redis does not answer, the last list remains valid. If Redis was wiped or
 * paused, it has lost the announcements of all instances. This instance then misses its own announcement, and removes
 * no member until all had time to announce themselves again.
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

  /** Announces this instance until the signal aborts. Resolves after the first attempt, whether or not it succeeded. */
  async start(stop: AbortSignal): Promise<void> {
    this.#isAnnouncing = true;
    stop.addEventListener('abort', () => this.refreshSoon(), { once: true });
    await this.#refresh();
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
  async leave(remove: () => Promise<unknown>): Promise<void> {
    this.#isAnnouncing = false;
    await this.#refreshing;
    try {
      await remove();
    } catch (err) {
      this.#options.log.warn({ err }, 'this instance could not sign off: it will be missed by its silence');
    }
    this.#setMembers(this.#members.filter((member) => member !== this.#options.instance));
  }

  async #run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.#options.clock.sleep(this.#intervalMs, this.#wakeUp.signal);
      this.#wakeUp = new AbortController();
      if (!stop.aborted) await this.#refresh();
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
    const { scripts, key, instance, silenceMs, time, clock, onContact } = this.#options;
    const isAnnouncing = this.#isAnnouncing;
    const askedAt = clock.monotonic();
    try {
      const announced = await scripts.announce(key, isAnnouncing ? instance : '', silenceMs);
      time.update(announced.now, askedAt);
      onContact(true);
      this.#take(announced, isAnnouncing);
    } catch {
      this.#hasFailed = true;
      onContact(false);
    }
  }

  #take({ was, members }: Announced, wasAnnouncing: boolean): void {
    const now = this.#options.clock.monotonic();
    const wasForgotten = wasAnnouncing && !was;
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
