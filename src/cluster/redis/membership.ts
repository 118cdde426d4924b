import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observability/log.ts';
import type { RedisTime } from './redis-time.ts';
import type { Announced, Scripts } from './scripts.ts';

export interface MembershipOptions {
  readonly scripts: Pick<Scripts, 'announce'>;
  readonly key: string;
  readonly instance: string;
  /** ms of silence after which an instance is gone. */
  readonly silenceMs: number;
  readonly time: RedisTime;
  readonly clock: Clock;
  readonly log: Log;
  /** Tells whether Redis answered. */
  readonly onContact: (reached: boolean) => void;
}

type Listener = (members: readonly string[]) => void;

/** An instance announces itself so often within the time of silence that counts as its end. */
const beatsPerSilence = 4;

/**
 * Who is there. Each instance announces itself every quarter of `silenceMs`; one that has been silent for all of it
 * is gone. While Redis does not answer, the last list stands. When Redis has forgotten us (it was wiped, or stood
 * still), it has forgotten the others too: nobody is taken for gone until they had time to announce themselves.
 */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #beatMs: number;
  readonly #listeners = new Set<Listener>();
  #members: readonly string[] = [];
  #announcing = false;
  #wasAnnounced = false;
  /** Whether the last look failed: what it sent may still have been carried out since. */
  #failed = false;
  #asking: Promise<boolean> | undefined;
  #unsettledUntil = Number.NEGATIVE_INFINITY;
  #hurry = new AbortController();

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#beatMs = Math.ceil(options.silenceMs / beatsPerSilence);
  }

  get members(): readonly string[] {
    return this.#members;
  }

  onChange(listener: Listener): () => void {
    const own = (members: readonly string[]) => listener(members);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  /** Announces this instance once, whether or not that works, and from then on until the signal. */
  async start(stop: AbortSignal): Promise<void> {
    this.#announcing = true;
    stop.addEventListener('abort', () => this.hurry(), { once: true });
    await this.#ask();
    void this.#beat(stop);
  }

  /** Looks again at once. */
  hurry(): void {
    this.#hurry.abort();
  }

  /** Whether an instance is there, if need be after another look. */
  async has(instance: string): Promise<boolean> {
    if (this.#members.includes(instance)) return true;
    // What is under way may have been read before the instance came.
    if (this.#asking !== undefined) await this.#asking;
    if (!this.#members.includes(instance)) await this.#ask();
    return this.#members.includes(instance);
  }

  /** Announces this instance no more. The list goes on to be read. */
  async leave(forget: () => Promise<unknown>): Promise<void> {
    this.#announcing = false;
    await this.#asking;
    try {
      await forget();
    } catch (error) {
      this.#options.log.warn(
        { err: error },
        'this instance could not sign off: it will be missed by its silence',
      );
    }
    this.#adopt(this.#members.filter((member) => member !== this.#options.instance));
  }

  async #beat(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.#options.clock.sleep(this.#beatMs, this.#hurry.signal);
      this.#hurry = new AbortController();
      if (!stop.aborted) await this.#ask();
    }
  }

  /** Several who ask at the same time ask once. True when Redis answered. */
  #ask(): Promise<boolean> {
    this.#asking ??= this.#announce().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #announce(): Promise<boolean> {
    const { scripts, key, instance, silenceMs, time, clock, onContact } = this.#options;
    const announcing = this.#announcing;
    const askedAt = clock.now();
    try {
      const announced = await scripts.announce(key, announcing ? instance : '', silenceMs);
      time.update(announced.now, askedAt);
      onContact(true);
      this.#take(announced, announcing);
      return true;
    } catch {
      this.#failed = true;
      onContact(false);
      return false;
    }
  }

  #take({ was, members }: Announced, announcing: boolean): void {
    const now = this.#options.clock.now();
    const forgotten = announcing && !was;
    if (this.#wasAnnounced && (forgotten || this.#failed)) this.#unsettledUntil = now + 2 * this.#beatMs;
    this.#wasAnnounced ||= announcing;
    this.#failed = false;
    this.#adopt(now < this.#unsettledUntil ? [...new Set([...this.#members, ...members])].sort() : members);
  }

  #adopt(members: readonly string[]): void {
    if (members.join() === this.#members.join()) return;
    this.#members = members;
    for (const listener of this.#listeners) {
      try {
        listener(members);
      } catch (error) {
        this.#options.log.error({ err: error }, 'a listener to the members failed');
      }
    }
  }
}
