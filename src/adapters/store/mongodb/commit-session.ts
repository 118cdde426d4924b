import type { ClientSession, MongoClient, UUID } from 'mongodb';
import { within } from './deadline.ts';

/**
 * A session in which this process commits changes, one after the other.
 *
 * It is always the same: a transaction that was left open behind a lost connection keeps its packages locked for a
 * minute, unless the next transaction of its session ends it, or a new owner, who finds the session's id in the
 * package, kills it.
 */
export class CommitSession {
  readonly #client: MongoClient;
  readonly #hungMs: number;
  #session: ClientSession;
  #last: Promise<void> = Promise.resolve();

  /** @param hungMs work that takes longer will never end: the next turn gets a fresh session. */
  constructor(client: MongoClient, hungMs: number) {
    this.#client = client;
    this.#hungMs = hungMs;
    this.#session = this.#start();
  }

  get id(): UUID {
    const id = this.#session.id?.id;
    if (!id) throw new Error('an explicit session has an id');
    return id.toUUID();
  }

  /** Runs after all turns before it have ended, however they did. */
  turn<T>(work: (session: ClientSession) => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => work(this.#session));
    this.#last = this.#last.then(() => this.#ended(turn));
    return turn;
  }

  /**
   * The driver may wait without end for a connection that broke at the wrong moment. What such a turn leaves open
   * is ended by the server, after a minute at the latest, and by whoever takes the package next.
   */
  async #ended(turn: Promise<unknown>): Promise<void> {
    try {
      await within(this.#hungMs, turn, () => new Hung());
    } catch (error) {
      if (error instanceof Hung) this.#session = this.#start();
    }
  }

  #start(): ClientSession {
    return this.#client.startSession({ causalConsistency: true });
  }
}

class Hung extends Error {}

/** Each package has a session of its own; the changes of several at once go in the one for groups. */
export class CommitSessions {
  readonly group: CommitSession;
  readonly #client: MongoClient;
  readonly #hungMs: number;
  readonly #byPackage = new Map<number, CommitSession>();

  constructor(client: MongoClient, hungMs: number) {
    this.#client = client;
    this.#hungMs = hungMs;
    this.group = new CommitSession(client, hungMs);
  }

  of(packageId: number): CommitSession {
    let session = this.#byPackage.get(packageId);
    if (!session) {
      session = new CommitSession(this.#client, this.#hungMs);
      this.#byPackage.set(packageId, session);
    }
    return session;
  }
}
