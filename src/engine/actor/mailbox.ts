import type { AbortState } from '../../lib/abort.ts';
import type { Activity } from '../operated-engine.ts';

/** A bounded first-in-first-out queue of messages with one reader. A full mailbox refuses further messages. */
export class Mailbox<Message> {
  readonly #capacity: number;
  #messages: Message[] = [];
  #wake: (() => void) | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#messages.length;
  }

  /** Adds a message. False when the mailbox is full. */
  offer(message: Message): boolean {
    if (this.#messages.length >= this.#capacity) return false;
    this.put(message);
    return true;
  }

  /** Adds a message even when the mailbox is full. Meant for results of the actor's own work, such as sagas. */
  put(message: Message): void {
    this.#messages.push(message);
    this.#wakeReader();
  }

  /** Puts messages back to the front of the queue, in the given order. */
  putBack(messages: readonly Message[]): void {
    if (messages.length === 0) return;
    this.#messages = [...messages, ...this.#messages];
    this.#wakeReader();
  }

  /** Takes up to `max` of the oldest messages. */
  take(max: number): Message[] {
    if (this.#messages.length <= max) {
      const all = this.#messages;
      this.#messages = [];
      return all;
    }
    return this.#messages.splice(0, max);
  }

  /** Resolves when there is a message or the signal aborts. */
  async arrival(signal: AbortState): Promise<void> {
    if (this.#messages.length > 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done);
    });
  }

  #wakeReader(): void {
    this.#wake?.();
  }
}

/** Weight of the newest batch in the moving average of the rate. */
const weight = 0.3;

export interface DrainRateOptions {
  /** The most messages in one commit. */
  readonly batchMax: number;
  /** Messages that would wait longer than this, in ms, are refused. */
  readonly shedAfterMs: number;
}

/**
 * Measures how fast commits empty a mailbox, to estimate how long the newest message waits. Only large batches are
 * measured, because a small batch takes nearly as long as a large one. Times are in ms on the monotonic clock.
 *
 *     unknown ──a large batch is committed──► known ──no large commit for a while, or a failure──► unknown
 *
 * While the rate is unknown, no message is refused: after a takeover, while the store is away, and under little load.
 */
export class DrainRate {
  readonly #batchMax: number;
  readonly #shedAfterMs: number;
  /** Messages per ms; 0 while the rate is unknown. */
  #rate = 0;
  #knownUntil = 0;

  constructor({ batchMax, shedAfterMs }: DrainRateOptions) {
    this.#batchMax = batchMax;
    this.#shedAfterMs = shedAfterMs;
  }

  /** Records a commit of this many messages, with the times of its begin and end. */
  committed(messages: number, from: number, to: number): void {
    if (messages * 2 < this.#batchMax) return;
    const tookMs = Math.max(1, to - from);
    const rate = messages / tookMs;
    this.#rate = this.#isKnown(to) ? this.#rate + weight * (rate - this.#rate) : rate;
    // A slow store commits rarely, so its measured rate stays valid for longer.
    this.#knownUntil = to + Math.max(this.#shedAfterMs, 2 * tookMs);
  }

  /** Forgets the rate, because nothing can be committed at present. */
  forget(): void {
    this.#rate = 0;
  }

  /** Whether a message behind this many others would wait too long. False while the next two commits are not full. */
  isTooLong(messages: number, now: number): boolean {
    if (messages < 2 * this.#batchMax || !this.#isKnown(now)) return false;
    return messages > this.#rate * this.#shedAfterMs;
  }

  #isKnown(now: number): boolean {
    return this.#rate > 0 && now < this.#knownUntil;
  }
}

/** A commit that was applied, for the {@link ActivityMeter}. */
export interface CommitNote {
  /** Orders that the commit inserted. */
  readonly orders: number;
  readonly messages: number;
  readonly ms: number;
}

interface Bucket {
  /** The bucket's number: the monotonic time divided by the length of a bucket. */
  index: number;
  orders: number;
  messages: number;
  commits: number;
  ms: number;
}

const bucketMs = 2_000;
/** The number of buckets in a minute. */
const buckets = 30;
/** The number of buckets in ten seconds. */
const recentBuckets = 5;

/** Measures how busy one package was over the last minute, in buckets of two seconds. */
export class ActivityMeter {
  /** One bucket more than `read` returns, because the current bucket is incomplete. */
  readonly #ring: Bucket[] = Array.from({ length: buckets + 1 }, emptyBucket);
  readonly #startedAt: number;

  /** @param now when the activation began, in ms on the monotonic clock */
  constructor(now: number) {
    this.#startedAt = now;
  }

  note(now: number, { orders, messages, ms }: CommitNote): void {
    const index = Math.floor(now / bucketMs);
    const bucket = this.#ring[index % this.#ring.length] as Bucket;
    if (bucket.index !== index) Object.assign(bucket, emptyBucket(), { index });
    bucket.orders += orders;
    bucket.messages += messages;
    bucket.commits += 1;
    bucket.ms += ms;
  }

  /** The complete buckets before `now`. `mailbox` is the number of waiting messages. */
  read(now: number, mailbox: number): Activity {
    const current = Math.floor(now / bucketMs);
    const shown = Array.from({ length: buckets }, (_, each) => this.#bucket(current - buckets + each));
    return {
      bucketMs,
      endedAt: current * bucketMs,
      purchasesPerS: shown.map(({ orders }) => rounded((orders * 1_000) / bucketMs)),
      batchSize: shown.map(({ messages, commits }) => mean(messages, commits)),
      commitMs: shown.map(({ ms, commits }) => mean(ms, commits)),
      recent: this.#recent(now, current),
      mailbox,
    };
  }

  /** The activity of the last ten seconds. Includes the current bucket, so that a sale shows as soon as it begins. */
  #recent(now: number, current: number): Activity['recent'] {
    const first = current - recentBuckets;
    const sum = emptyBucket();
    for (let index = first; index <= current; index++) {
      const { orders, messages, commits, ms } = this.#bucket(index);
      sum.orders += orders;
      sum.messages += messages;
      sum.commits += commits;
      sum.ms += ms;
    }
    const overMs = Math.max(1_000, now - Math.max(this.#startedAt, first * bucketMs));
    return {
      purchasesPerS: rounded((sum.orders * 1_000) / overMs),
      batchSize: mean(sum.messages, sum.commits),
      commitMs: mean(sum.ms, sum.commits),
    };
  }

  #bucket(index: number): Bucket {
    const bucket = this.#ring[index % this.#ring.length];
    return bucket?.index === index ? bucket : emptyBucket();
  }
}

function emptyBucket(): Bucket {
  return { index: -1, orders: 0, messages: 0, commits: 0, ms: 0 };
}

function mean(total: number, count: number): number {
  return count === 0 ? 0 : rounded(total / count);
}

/** Rounds to two decimals, which are enough for the pages and keep messages between instances short. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
