import { type Redis, ReplyError } from 'ioredis';
import type { Clock } from '../../lib/clock.ts';
import { LogOnce } from '../../lib/log-once.ts';
import type { Log } from '../../observability/log.ts';

/** A stream to read. */
export interface StreamSource {
  readonly stream: string;
  /** Whether the stream is to be read now. Unread messages stay in the stream. */
  readonly isOpen: () => boolean;
  /** Called for each message. Must not throw. */
  readonly take: (message: string) => void;
}

export interface StreamReaderOptions {
  /** A connection for this reader alone, because reads block it. */
  readonly redis: Redis;
  readonly sources: readonly StreamSource[];
  readonly clock: Clock;
  readonly log: Log;
}

type Entry = readonly [id: string, fields: readonly string[]];
type Reply = readonly (readonly [stream: string, entries: readonly Entry[]])[] | null;

/** An entry may be a frame of some hundred messages. */
const entriesPerRead = 100;
/** How long Redis holds a read that finds no message. */
const blockMs = 1_000;
/**
 * How long Redis holds a read while a source is closed. Shorter, so that the reopening of the source is noticed soon.
 */
const blockWhileClosedMs = 50;
const retryMs = 50;

/** The command timeout for the reader's connection, in ms. A connection that times out is replaced. */
export const readTimeoutMs = blockMs + 2_000;

/**
 * The only reader of its streams. It always reads from the beginning of a stream, and each read deletes the messages of
 * the read before. It keeps no position, so it misses no message after Redis was wiped or Redis's clock was set back.
 * A message is delivered twice if its deletion was lost.
 */
export class StreamReader {
  readonly #options: StreamReaderOptions;
  /** The ids of entries that were read and must still be deleted, by stream. */
  readonly #toDelete = new Map<string, string[]>();
  readonly #problems = new LogOnce();

  constructor(options: StreamReaderOptions) {
    this.#options = options;
  }

  /** Reads until the signal aborts. */
  async run(stop: AbortSignal): Promise<void> {
    const { redis, clock, log } = this.#options;
    while (!stop.aborted) {
      if (redis.status !== 'ready') {
        // The connector logs the lost connection and reconnects.
        await clock.sleep(retryMs, stop);
        continue;
      }
      try {
        await this.#read();
        this.#problems.end();
      } catch (err) {
        if (stop.aborted) return;
        const isConnected = redis.status === 'ready';
        this.#problems.report('read', () => isConnected && log.warn({ err }, 'messages cannot be read now'));
        // A read that timed out may have used a dead connection.
        if (!(err instanceof ReplyError)) await renewConnection(redis);
        await clock.sleep(retryMs, stop);
      }
    }
  }

  /** Reads once from all open sources. @throws Error when Redis does not answer. */
  async #read(): Promise<void> {
    const open = this.#options.sources.filter((source) => source.isOpen());
    const waitMs = open.length === this.#options.sources.length ? blockMs : blockWhileClosedMs;
    const commands = this.#options.redis.pipeline();
    for (const [stream, ids] of this.#toDelete) commands.xdel(stream, ...ids);
    const streams = open.map(({ stream }) => stream);
    const beginnings = open.map(() => '0-0');
    commands.xread('COUNT', entriesPerRead, 'BLOCK', waitMs, 'STREAMS', ...streams, ...beginnings);
    const replies = (await commands.exec()) ?? [];
    for (const [error] of replies) if (error) throw error;
    this.#toDelete.clear();
    for (const [stream, entries] of (replies.at(-1)?.[1] as Reply) ?? []) this.#take(stream, entries);
  }

  #take(stream: string, entries: readonly Entry[]): void {
    const source = this.#options.sources.find((each) => each.stream === stream);
    const ids = entries.map(([id]) => id);
    this.#toDelete.set(stream, ids);
    for (const [, fields] of entries) source?.take(fields[fields.indexOf('m') + 1] ?? '');
  }
}

/** Resolves when the current connection is closed. ioredis then opens the next one. */
async function renewConnection(redis: Redis): Promise<void> {
  if (redis.status !== 'ready') return;
  const closed = new Promise((resolve) => redis.once('close', resolve));
  redis.disconnect(true);
  await closed;
}
