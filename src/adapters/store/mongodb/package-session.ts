import type { ClientSession, MongoClient, UUID } from 'mongodb';

/**
 * The one session in which this process commits a package's changes, one after the other.
 *
 * It is always the same: a transaction that was left open behind a lost connection keeps the package locked for a
 * minute, unless the next transaction of its session ends it, or a new owner, who finds the session's id in the
 * package, kills it.
 */
export class PackageSession {
  readonly id: UUID;
  readonly #session: ClientSession;
  #last: Promise<unknown> = Promise.resolve();

  constructor(client: MongoClient) {
    this.#session = client.startSession({ causalConsistency: true });
    const id = this.#session.id?.id;
    if (!id) throw new Error('an explicit session has an id');
    this.id = id.toUUID();
  }

  /** Runs after all turns before it have ended, however they did. */
  turn<T>(work: (session: ClientSession) => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => work(this.#session));
    this.#last = turn.catch(() => {});
    return turn;
  }
}

export class PackageSessions {
  readonly #client: MongoClient;
  readonly #byPackage = new Map<number, PackageSession>();

  constructor(client: MongoClient) {
    this.#client = client;
  }

  of(packageId: number): PackageSession {
    let session = this.#byPackage.get(packageId);
    if (!session) {
      session = new PackageSession(this.#client);
      this.#byPackage.set(packageId, session);
    }
    return session;
  }
}
