import { type ClientSession, MongoClient, type MongoClientOptions, type Timestamp } from 'mongodb';
import { Batcher, type BatcherOptions } from '../../lib/batcher.ts';
import { settlesWithin, withTimeout } from '../../lib/deadline.ts';
import type { Log } from '../../observability/log.ts';
import { StoreUnavailableError } from '../store.ts';
import { type Collections, collectionsOf, prepareIndexes } from './collections.ts';
import { asStoreError } from './errors.ts';
import type { ReadOptions } from './reads.ts';
import { checkServer, explainStart, parsed } from './start-up.ts';

export interface MongoConnectionOptions {
  /** A replica set, or a sharded cluster; without a database in it, `ticket-booking`. */
  readonly url: string;
  readonly log?: Log;
  /** The longest that a call waits, in ms, before the store counts as unavailable. Default 5000. */
  readonly timeoutMs?: number;
  /** Orders are counted by email with every purchase: that wants an index. Default false. */
  readonly countsEmails?: boolean;
  /** Make no indexes: for the audit. */
  readonly readOnly?: boolean;
}

/** What was acknowledged is never undone, and only such things are seen. */
export const majority = { level: 'majority' } as const;

const defaultDatabase = 'ticket-booking';
const defaultTimeoutMs = 5_000;

/**
 * Connects, checks that the server has what the store needs, and makes the indexes.
 * @throws Error with one line that says what is wrong, and how to mend it where that is known; no password is in it.
 */
export async function openConnection(options: MongoConnectionOptions): Promise<Connection> {
  const { timeoutMs = defaultTimeoutMs, countsEmails = false } = options;
  const { hasDatabase } = parsed(options.url);
  let client: MongoClient | undefined;
  try {
    client = new MongoClient(options.url, clientOptions(timeoutMs));
    await client.connect();
    const { isSharded } = await checkServer(client);
    const collections = collectionsOf(client.db(hasDatabase ? undefined : defaultDatabase));
    if (!options.readOnly) await prepareIndexes(collections, countsEmails);
    return new Connection(client, collections, { timeoutMs, countsEmails, isSharded });
  } catch (error) {
    const reason = await explainStart(error, client);
    await client?.close(true).catch(() => {});
    throw reason;
  }
}

/** These win over what the URL says: the store's promises rest on them. */
function clientOptions(timeoutMs: number): MongoClientOptions {
  return {
    appName: 'ticket-booking',
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
    // How soon a server that hangs is noticed: one that ends is noticed at once.
    heartbeatFrequencyMS: 2_000,
  };
}

interface ConnectionTraits {
  readonly timeoutMs: number;
  readonly countsEmails: boolean;
  readonly isSharded: boolean;
}

/** A client whose calls all end in bounded time, and see what earlier calls of this process have written. */
export class Connection {
  readonly collections: Collections;
  readonly timeoutMs: number;
  readonly client: MongoClient;
  readonly countsEmails: boolean;
  readonly isSharded: boolean;
  #latest: Timestamp | undefined;
  #isClosed = false;

  constructor(
    client: MongoClient,
    collections: Collections,
    { timeoutMs, countsEmails, isSharded }: ConnectionTraits,
  ) {
    this.client = client;
    this.collections = collections;
    this.timeoutMs = timeoutMs;
    this.countsEmails = countsEmails;
    this.isSharded = isSharded;
  }

  /**
   * Runs work in a session of its own, for what does no harm when repeated. Even where a former primary still
   * answers, it does not answer with what was before this process's last write.
   * @throws StoreUnavailableError when it takes too long as well.
   */
  async run<T>(work: (session: ClientSession) => Promise<T>): Promise<T> {
    this.refuseClosed();
    const session = this.client.startSession({ causalConsistency: true });
    this.catchUp(session);
    return this.bounded(work(session).finally(() => session.endSession()));
  }

  /** As {@link run}, for work that writes. */
  write<T>(work: (session: ClientSession) => Promise<T>): Promise<T> {
    return this.run(async (session) => {
      const result = await work(session);
      this.wrote(session);
      return result;
    });
  }

  /** How to read in a session what is true now. */
  current(session: ClientSession): ReadOptions {
    return { session, readConcern: majority, maxTimeMS: this.timeoutMs };
  }

  /** @throws StoreUnavailableError for whatever may pass, and what `late` makes when it takes too long. */
  async bounded<T>(work: Promise<T>, late: () => Error = tooLate): Promise<T> {
    try {
      return await withTimeout({ ms: this.timeoutMs, late }, () => work);
    } catch (error) {
      throw asStoreError(error);
    }
  }

  /** Gathers calls for one round trip. One that waits for longer than the time-out is rejected and not sent. */
  batcher<Item, Result>(
    run: BatcherOptions<Item, Result>['run'],
    options: Pick<BatcherOptions<Item, Result>, 'weigh' | 'weightMax'> = {},
  ): Batcher<Item, Result> {
    const late = () => new StoreUnavailableError('the store does not keep up');
    return new Batcher({
      run,
      waitMax: { ms: this.timeoutMs, late },
      // Those who wait would wait as long again for the same answer. Any other error is about one of the items.
      onError: (error) => (error instanceof StoreUnavailableError ? 'all' : 'split'),
      ...options,
    });
  }

  /** Makes a session see what was written in this process so far. */
  catchUp(session: ClientSession): void {
    if (this.#latest) session.advanceOperationTime(this.#latest);
  }

  /** What the session has written is seen by all that comes later. */
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
