import type { ClientSession, MongoClient, UUID } from 'mongodb';
import { withTimeout } from '../../lib/deadline.ts';

/**
 * A session in which this process commits changes, one after the other.
 *
 * It is always the same: a transaction that was left open behind a lost connection keeps its packages locked for a
 * minute, unless the next transaction of its session ends it, or somebody who knows the session's id kills it: a new
 * owner finds it in the package.
 */
export class CommitSession {
  readonly #client: MongoClient;
  readonly #hungMs: number;
  readonly #onReplaced: (id: UUID) => void;
  #session: ClientSession;
  #last: Promise<void> = Promise.resolve();

  /**
   * @param hungMs a turn that takes longer will never end: the next one gets a fresh session.
   * @param onReplaced is told the id of the one before, in which a transaction may be open.
   */
  constructor(client: MongoClient, hungMs: number, onReplaced: (id: UUID) => void) {
    this.#client = client;
    this.#hungMs = hungMs;
    this.#onReplaced = onReplaced;
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

  /** The driver may wait without end for a connection that broke at the wrong moment. */
  async #ended(turn: Promise<unknown>): Promise<void> {
    try {
      await withTimeout({ ms: this.#hungMs, late: () => new Hung() }, () => turn);
    } catch (error) {
      if (!(error instanceof Hung)) return;
      const { id } = this;
      void this.#session.endSession().catch(() => {});
      this.#session = this.#start();
      this.#onReplaced(id);
    }
  }

  #start(): ClientSession {
    return this.#client.startSession({ causalConsistency: true });
  }
}

class Hung extends Error {}

/** The ids that a package's document names, so that its next owner can end what was left open. */
export interface NamedSessions {
  readonly session: UUID;
  readonly group: UUID;
}

/** Each package has a session of its own; the changes of several at once go in the one for groups. */
export class CommitSessions {
  readonly group: CommitSession;
  readonly #client: MongoClient;
  readonly #hungMs: number;
  readonly #byPackage = new Map<number, CommitSession>();
  /** What the packages that were taken name. */
  readonly #named = new Map<number, NamedSessions>();
  /** Sessions in which a transaction may be open that nobody goes on with. */
  readonly #left = new Map<string, UUID>();

  constructor(client: MongoClient, hungMs: number) {
    this.#client = client;
    this.#hungMs = hungMs;
    this.group = this.#open();
  }

  of(packageId: number): CommitSession {
    let session = this.#byPackage.get(packageId);
    if (!session) {
      session = this.#open();
      this.#byPackage.set(packageId, session);
    }
    return session;
  }

  /** What a package shall name from now on. */
  name(packageId: number): NamedSessions {
    const named = { session: this.of(packageId).id, group: this.group.id };
    this.#named.set(packageId, named);
    return named;
  }

  /** Whether a package names sessions that are used no more: its next owner could not end what they leave. */
  isMisnamed(packageId: number): boolean {
    const named = this.#named.get(packageId);
    if (named === undefined) return false;
    return !named.group.equals(this.group.id) || !named.session.equals(this.of(packageId).id);
  }

  /** A transaction may be open in it that keeps its packages from everybody, ourselves included. */
  leave(id: UUID): void {
    this.#left.set(id.toString(), id);
  }

  /** Ends what may have been left open. It never throws: while the server is away, it is tried again the next time. */
  async endWhatWasLeft(): Promise<void> {
    const ids = [...this.#left.values()];
    if (ids.length === 0) return;
    const killSessions = ids.map((id) => ({ id }));
    try {
      await this.#client.db('admin').command({ killSessions });
      for (const id of ids) this.#left.delete(id.toString());
    } catch {
      // Its locks are still there: the commit that comes now will say so.
    }
  }

  #open(): CommitSession {
    return new CommitSession(this.#client, this.#hungMs, (id) => this.leave(id));
  }
}
