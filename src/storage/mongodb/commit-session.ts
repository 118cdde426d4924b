import type { ClientSession, MongoClient, UUID } from 'mongodb';
import { withTimeout } from '../../lib/deadline.ts';
import { appName } from './connection.ts';

/**
 * A session in which this process commits changes, one after the other.
 *
 * A transaction that is open when its connection is lost locks its packages for a minute. The next transaction of the
 * same session ends the open transaction, so the session is reused. A new owner can also kill the session by its id,
 * which is in the package's document.
 */
export class CommitSession {
  readonly #client: MongoClient;
  readonly #hungMs: number;
  readonly #onReplaced: (id: UUID) => void;
  #session: ClientSession;
  #last: Promise<void> = Promise.resolve();

  /**
   * @param hungMs a turn that takes longer counts as hanging, and the session is replaced.
   * @param onReplaced gets the id of the replaced session, in which a transaction may be open.
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

  /** Runs the work when all turns before it have ended. */
  turn<T>(work: (session: ClientSession) => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => work(this.#session));
    this.#last = this.#last.then(() => this.#ended(turn));
    return turn;
  }

  /**
   * Waits for the end of a turn. Replaces the session if the turn hangs, because the driver can wait forever for a
   * broken connection.
   */
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
    const session = this.#client.startSession({ causalConsistency: true });
    // Keeps the session out of the driver's pool, which goes through all its sessions whenever one is returned. With
    // thousands of packages the client would close for seconds. The server forgets the session after half an hour.
    session.serverSession.isDirty = true;
    return session;
  }
}

class Hung extends Error {}

/**
 * A transaction of this product waits for its next command for a round trip. If it waits for this many ms, its process
 * was killed or hangs.
 */
export const idleMs = 2_000;

/** Ends the transactions that are open in these sessions. */
export async function killSessions(client: MongoClient, ids: readonly UUID[]): Promise<void> {
  await client.db('admin').command({ killSessions: ids.map((id) => ({ id })) });
}

/** The session ids in a package's document. With these ids the next owner can end open transactions. */
export interface NamedSessions {
  readonly session: UUID;
  readonly group: UUID;
}

/** The sessions for commits: one for each package, and one for commits of several packages. */
export class CommitSessions {
  readonly group: CommitSession;
  readonly #client: MongoClient;
  readonly #hungMs: number;
  readonly #byPackage = new Map<number, CommitSession>();
  /** The sessions that are stored in the documents of owned packages. */
  readonly #named = new Map<number, NamedSessions>();
  /** Abandoned sessions, in which a transaction may be open. */
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

  /** The ids to store in a package's document. */
  name(packageId: number): NamedSessions {
    const named = { session: this.of(packageId).id, group: this.group.id };
    this.#named.set(packageId, named);
    return named;
  }

  /**
   * Whether the ids in a package's document are outdated. Then the package's next owner could not end open
   * transactions.
   */
  isMisnamed(packageId: number): boolean {
    const named = this.#named.get(packageId);
    if (named === undefined) return false;
    return !named.group.equals(this.group.id) || !named.session.equals(this.of(packageId).id);
  }

  /** Notes an abandoned session. A transaction that is open in this session locks its packages. */
  leave(id: UUID): void {
    this.#left.set(id.toString(), id);
  }

  /** Ends transactions in abandoned sessions. Never throws: after a failure the next call tries again. */
  async endWhatWasLeft(): Promise<void> {
    const ids = [...this.#left.values()];
    if (ids.length === 0) return;
    try {
      await killSessions(this.#client, ids);
      for (const id of ids) this.#left.delete(id.toString());
    } catch {
      // The packages stay locked, so the commit that follows will fail.
    }
  }

  /**
   * Ends the transactions that processes of this product have left open, whichever processes these are. For packages
   * without an owner, because no next owner ends them. Never throws: after a failure the next call tries again.
   */
  async endIdle(): Promise<void> {
    try {
      const idle = await this.#client
        .db('admin')
        .aggregate<{ lsid: { id: UUID } }>([
          // A user may see and end its own operations without any privilege.
          { $currentOp: { allUsers: false, idleSessions: true } },
          { $match: { appName, 'transaction.timeInactiveMicros': { $gt: idleMs * 1_000 } } },
        ])
        .toArray();
      if (idle.length === 0) return;
      await killSessions(
        this.#client,
        idle.map(({ lsid: { id } }) => id),
      );
    } catch {
      // The packages stay locked, so the commit that follows will fail.
    }
  }

  #open(): CommitSession {
    return new CommitSession(this.#client, this.#hungMs, (id) => this.leave(id));
  }
}
