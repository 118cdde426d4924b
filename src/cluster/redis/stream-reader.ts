import { type Redis, ReplyError } from 'ioredis';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observability/log.ts';

/** A stream to be read, and what to do with each of its messages. */
export interface StreamSource {
  readonly stream: string;
  /** Whether it may be read now; what is not read stays in the stream. */
  readonly open: () => boolean;
  /** Must not throw. */
  readonly take: (message: string) => void;
}

export interface StreamReaderOptions {
  /** A connection of its own: it blocks. */
  readonly redis: Redis;
  readonly sources: readonly StreamSource[];
  readonly clock: Clock;
  readonly log: Log;
}

type Entry = readonly [id: string, fields: readonly string[]];
type Read = readonly (readonly [stream: string, entries: readonly Entry[]])[] | null;

const entriesPerRound = 500;
/** How long Redis holds a read that finds nothing; short while a source is closed, to see it open again. */
const blockMs = 1_000;
const blockWhileClosedMs = 50;
const retryMs = 50;

/** A reader's connection gives up a read after so many ms, and is made anew. */
export const readTimeoutMs = blockMs + 2_000;

/**
 * The one reader of its streams. It always reads from their beginning, and deletes what it has read with the next
 * read: it remembers no place in a stream, so nothing is passed over when Redis was wiped or its clock went back. A
 * message may come twice, when the deletion was lost.
 */
export class StreamReader {
  readonly #options: StreamReaderOptions;
  /** What was read and is still to be deleted. */
  readonly #done = new Map<string, string[]>();
  #failing = false;

  constructor(options: StreamReaderOptions) {
    this.#options = options;
  }

  /** Reads until the signal. */
  async run(stop: AbortSignal): Promise<void> {
    const { redis, clock, log } = this.#options;
    while (!stop.aborted) {
      if (redis.status !== 'ready') {
        // It comes back by itself, and has a log line of its own.
        await clock.sleep(retryMs, stop);
        continue;
      }
      try {
        await this.#round();
        this.#failing = false;
      } catch (error) {
        if (stop.aborted) return;
        if (!this.#failing && redis.status === 'ready')
          log.warn({ err: error }, 'messages cannot be read now');
        this.#failing = true;
        // A read that was not answered in time may be on a connection that leads nowhere.
        if (!(error instanceof ReplyError)) await renewConnection(redis);
        await clock.sleep(retryMs, stop);
      }
    }
  }

  /** @throws Error when Redis does not answer. */
  async #round(): Promise<void> {
    const open = this.#options.sources.filter((source) => source.open());
    const waitMs = open.length === this.#options.sources.length ? blockMs : blockWhileClosedMs;
    const round = this.#options.redis.pipeline();
    for (const [stream, ids] of this.#done) round.xdel(stream, ...ids);
    const streams = open.map(({ stream }) => stream);
    const beginnings = open.map(() => '0-0');
    round.xread('COUNT', entriesPerRound, 'BLOCK', waitMs, 'STREAMS', ...streams, ...beginnings);
    const replies = (await round.exec()) ?? [];
    for (const [error] of replies) if (error) throw error;
    this.#done.clear();
    this.#hand((replies.at(-1)?.[1] ?? null) as Read);
  }

  #hand(read: Read): void {
    for (const [stream, entries] of read ?? []) {
      const source = this.#options.sources.find((each) => each.stream === stream);
      this.#done.set(
        stream,
        entries.map(([id]) => id),
      );
      for (const [, fields] of entries) source?.take(fields[fields.indexOf('m') + 1] ?? '');
    }
  }
}

/** Resolves once the present connection is gone; the next one comes by itself. */
async function renewConnection(redis: Redis): Promise<void> {
  if (redis.status !== 'ready') return;
  const closed = new Promise((resolve) => redis.once('close', resolve));
  redis.disconnect(true);
  await closed;
}
