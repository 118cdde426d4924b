import { type ClientSession, MongoClient, type MongoClientOptions, type Timestamp } from 'mongodb';
import type { NoticeChannel } from '../../domain/notices.ts';
import { Batcher, type BatcherOptions } from '../../lib/batcher.ts';
import { settlesWithin, withTimeout } from '../../lib/deadline.ts';
import type { Log } from '../../observability/log.ts';
import { StoreUnavailableError } from '../store.ts';
import { type Collections, collectionsOf, type OptionalIndexes, prepareIndexes } from './collections.ts';
import { asStoreError } from './errors.ts';
import type { ReadOptions } from './reads.ts';
import { checkServer, explainStart, parsed } from './start-up.ts';

export interface MongoConnectionOptions {
  /** A replica set or a sharded cluster. The default database is `ticket-booking`. */
  readonly url: string;
  readonly log?: Log;
  /** The timeout of a call, in ms, after which the store counts as unavailable. Default 5000. */
  readonly timeoutMs?: number;
  /** Makes the index for counting orders by email, which a limit per email needs. Default false. */
  readonly countsEmails?: boolean;
  /** Makes the indexes for the delivery of notices. Default: none. */
  readonly noticeChannels?: readonly NoticeChannel[];
  /** Makes no indexes. For the audit, which only reads. */
  readonly readOnly?: boolean;
}

/** With this read concern, reads see only data that can never be rolled back. */
const majority = { level: 'majority' } as const;

/** The name of this product's connections on the server. */
export const appName = 'ticket-booking';
const defaultDatabase = 'ticket-booking';
const defaultTimeoutMs = 5_000;

/**
 * Connects, checks that the server has the features that the store needs, and makes the indexes.
 * @throws Error with one line, without a password, that says what is wrong and, if known, how to correct it.
 */
export async function openConnection(options: MongoConnectionOptions): Promise<Connection> {
  const { timeoutMs = defaultTimeoutMs, countsEmails = false, noticeChannels = [] } = options;
  const indexes = { countsEmails, noticeChannels };
  const { hasDatabase } = parsed(options.url);
  let client: MongoClient | undefined;
  try {
    client = new MongoClient(options.url, clientOptions(timeoutMs));
    await client.connect();
    const { isSharded } = await checkServer(client);
    const collections = collectionsOf(client.db(hasDatabase ? undefined : defaultDatabase));
    if (!options.readOnly) await prepareIndexes(collections, indexes);
    return new Connection({ client, collections, timeoutMs, indexes, isSharded });
  } catch (error) {
    const reason = await explainStart(error, client);
    await client?.close(true).catch(() => {});
    throw reason;
  }
}

/** Options that override those in the URL, because the store's guarantees depend on them. */
function clientOptions(timeoutMs: number): MongoClientOptions {
  return {
    appName,
    w: 'majority',
    journal: true,
    wtimeoutMS: timeoutMs,
    readPreference: 'primary',
    retryWrites: true,
    retryReads: true,
    ignoreUndefined: true,
    serverSelectionTimeoutMS: Math.min(2_000, timeoutMs),
    connectTimeoutMS: Math.min(2_000, timeoutMs),
    socketTimeoutMS: timeoutMs,
    waitQueueTimeoutMS: timeoutMs,
    // A hanging server is detected within this time plus connectTimeoutMS (4 s at most). A closed connection is
    // detected at once.
    heartbeatFrequencyMS: 2_000,
  };
}

/** A client with a timeout for each call. Each call sees the writes of earlier calls of this process. */
export class Connection {
  readonly collections: Collections;
  readonly timeoutMs: number;
  readonly client: MongoClient;
  readonly indexes: OptionalIndexes;
  readonly isSharded: boolean;
  #latest: Timestamp | undefined;
  #isClosed = false;

  constructor(parts: Pick<Connection, 'client' | 'collections' | 'timeoutMs' | 'indexes' | 'isSharded'>) {
    this.client = parts.client;
    this.collections = parts.collections;
    this.timeoutMs = parts.timeoutMs;
    this.indexes = parts.indexes;
    this.isSharded = parts.isSharded;
  }

  /**
   * Runs work that may be repeated, in a session of its own. The session sees this process's last write, also if a former
   * primary still answers.
   * @throws StoreUnavailableError also after the timeout.
   */
  async run<T>(work: (session: ClientSession) => Promise<T>): Promise<T> {
    this.refuseClosed();
    const session = this.client.startSession({ causalConsistency: true });
    this.catchUp(session);
    return this.bounded(work(session).finally(() => session.endSession()));
  }

  /** Like {@link run}, for work that writes. */
  write<T>(work: (session: ClientSession) => Promise<T>): Promise<T> {
    return this.run(async (session) => {
      const result = await work(session);
      this.wrote(session);
      return result;
    });
  }

  /** The options for a read of the current state. */
  current(session: ClientSession): ReadOptions {
    return { session, readConcern: majority, maxTimeMS: this.timeoutMs };
  }

  /**
   * Waits with the timeout. @throws StoreUnavailableError for temporary errors; after the timeout, the error that
   * `late` makes.
   */
  async bounded<T>(work: Promise<T>, late: () => Error = tooLate): Promise<T> {
    try {
      return await withTimeout({ ms: this.timeoutMs, late }, () => work);
    } catch (error) {
      throw asStoreError(error);
    }
  }

  /**
   * Gathers calls, so that they share a round trip. A call that waits longer than the timeout is rejected and not sent.
   */
  batcher<Item, Result>(
    run: BatcherOptions<Item, Result>['run'],
    options: Pick<BatcherOptions<Item, Result>, 'weigh' | 'weightMax' | 'schedule'> = {},
  ): Batcher<Item, Result> {
    const late = () => new StoreUnavailableError('the store does not keep up');
    return new Batcher({
      run,
      waitMax: { ms: this.timeoutMs, late },
      // If the store is away, waiting calls would fail too. Any other error concerns one of the items.
      onError: (error) => (error instanceof StoreUnavailableError ? 'all' : 'split'),
      ...options,
    });
  }

  /** Makes a session see all earlier writes of this process. */
  catchUp(session: ClientSession): void {
    if (this.#latest) session.advanceOperationTime(this.#latest);
  }

  /** Makes later sessions see the writes of this session. */
  wrote({ operationTime }: ClientSession): void {
    if (!operationTime || (this.#latest && operationTime.lessThanOrEqual(this.#latest))) return;
    this.#latest = operationTime;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  refuseClosed(): void {
    if (this.#isClosed) throw new StoreUnavailableError('the connection to MongoDB is closed');
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const closed = this.client.close(true);
    await settlesWithin(this.timeoutMs, closed);
  }
}

function tooLate(): Error {
  return new StoreUnavailableError('MongoDB does not answer in time');
}
