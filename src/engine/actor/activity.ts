import type { Activity } from '../operated-engine.ts';

/** A commit that was applied. */
export interface CommitNote {
  /** Orders that it stored. */
  readonly orders: number;
  readonly messages: number;
  readonly ms: number;
}

interface Bucket {
  /** Which bucket since the epoch it counts for. */
  index: number;
  orders: number;
  messages: number;
  commits: number;
  ms: number;
}

const bucketMs = 2_000;
/** A minute. */
const buckets = 30;
/** Ten seconds. */
const recentBuckets = 5;

/** How busy one package was over the last minute, in buckets of two seconds. */
export class ActivityMeter {
  /** One more than is shown: the present one is not over. */
  readonly #ring: Bucket[] = Array.from({ length: buckets + 1 }, emptyBucket);
  readonly #startedAt: number;

  /** @param now when its owner began to act for it. */
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

  /** The whole buckets before `now`. */
  read(now: number, mailbox: number): Activity {
    const present = Math.floor(now / bucketMs);
    const shown = Array.from({ length: buckets }, (_, each) => this.#bucket(present - buckets + each));
    return {
      bucketMs,
      endedAt: present * bucketMs,
      purchasesPerS: shown.map(({ orders }) => rounded((orders * 1_000) / bucketMs)),
      batchSize: shown.map(({ messages, commits }) => mean(messages, commits)),
      commitMs: shown.map(({ ms, commits }) => mean(ms, commits)),
      recent: this.#recent(now, present),
      mailbox,
    };
  }

  /** The present bucket with it, so that a sale shows as soon as it begins. */
  #recent(now: number, present: number): Activity['recent'] {
    const first = present - recentBuckets;
    const sum = emptyBucket();
    for (let index = first; index <= present; index++) {
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

/** These travel between instances: two digits tell all there is to see. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
