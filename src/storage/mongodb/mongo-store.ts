import type { ClientSession } from 'mongodb';
import type { Change, Fence, Ownership } from '../../domain/messages.ts';
import type { Order } from '../../domain/order.ts';
import type { PackageSnapshot } from '../../domain/travel-package.ts';
import type { Batcher } from '../../lib/batcher.ts';
import { type Log, silentLog } from '../../observability/log.ts';
import type { SimulationLedger } from '../../suppliers/suppliers.ts';
import type { ArchiveStore } from '../archive-store.ts';
import type { OutboxStore } from '../outbox.ts';
import { type Store, type StoreSnapshot, UnreadableError } from '../store.ts';
import { UnreadableDocuments } from '../unreadable.ts';
import { MongoArchive } from './archive.ts';
import { prepareIndexes } from './collections.ts';
import { CommitSessions } from './commit-session.ts';
import { type Connection, type MongoConnectionOptions, openConnection } from './connection.ts';
import { GroupCommit } from './group-commit.ts';
import { GroupOwnership } from './group-ownership.ts';
import { MongoLedger } from './ledger.ts';
import { MongoOutbox } from './outbox.ts';
import { Reads } from './reads.ts';
import { Writes } from './writes.ts';

/** A commit normally ends at its timeout. A commit that has not ended after this many timeouts counts as hanging. */
const hungAfter = 2;

/** The most Idempotency-Keys in one query. */
const keysMax = 2_000;

interface KeysWanted {
  readonly packageId: number;
  readonly keys: readonly string[];
}

/**
 * The store on a MongoDB replica set, for any number of instances.
 * @throws Error with one line, without a password, that says why the server cannot be used.
 */
export async function openMongoStore(options: MongoConnectionOptions): Promise<MongoStore> {
  return new MongoStore(await openConnection(options), options.log ?? silentLog);
}

/**
 * The store on MongoDB. Writes are acknowledged by a majority and journaled. Reads go to the primary and see
 * majority-committed data. A process always sees its own earlier results. It also sees results of other instances,
 * unless it reads from an isolated primary that has not stepped down yet (ten seconds at most). Such old reads do not
 * affect owners, because owners raise the epoch first.
 */
export class MongoStore implements Store {
  /** The ledger of the simulation, in the same database. */
  readonly ledger: SimulationLedger;
  readonly archive: ArchiveStore;
  readonly outbox: OutboxStore;
  readonly #connection: Connection;
  readonly #sessions: CommitSessions;
  readonly #commits: GroupCommit;
  readonly #ownership: GroupOwnership;
  readonly #unreadable: UnreadableDocuments;
  /** Gathers look-ups: under load hundreds run at once, and they share one round trip. */
  readonly #byId: Batcher<string, Order | undefined>;
  readonly #byKey: Batcher<KeysWanted, Order[]>;
  readonly #packageById: Batcher<number, PackageSnapshot | undefined>;

  // The methods of the port that only call a query or a write.
  readonly packagesPage = this.#reader('packagesPage');
  readonly addPackages = this.#writer('addPackages');
  readonly owner = this.#reader('owner');
  readonly ownersOf = this.#reader('ownersOf');
  readonly ownersPage = this.#reader('ownersPage');
  readonly lastPackageId = this.#reader('lastPackageId');
  readonly packagesWithUnfinished = this.#reader('packagesWithUnfinished');
  readonly versionedPackage = this.#reader('versionedPackage');
  readonly removePackage = this.#writer('removePackage');
  readonly orders = this.#reader('orders');
  readonly liveOrdersByEmail = this.#reader('liveOrdersByEmail');
  readonly ordersPage = this.#reader('ordersPage');
  readonly packageWithOrdersAbove = this.#reader('packageWithOrdersAbove');
  readonly ordersBelow = this.#reader('ordersBelow');
  readonly ordersByEmail = this.#reader('ordersByEmail');
  readonly archivedCounts = this.#reader('archivedCounts');
  readonly archivedIds = this.#reader('archivedIds');
  readonly settingIfAny = this.#reader('setting');
  readonly settingsNamed = this.#reader('settingsNamed');
  readonly swapSetting = this.#writer('swapSetting');
  readonly appendOperatorEvent = this.#writer('appendOperatorEvent');
  readonly endOperatorEvent = this.#writer('endOperatorEvent');
  readonly operatorEvents = this.#reader('operatorEvents');
  readonly ping = this.#reader('ping');
  readonly probe = this.#writer('probe');

  constructor(connection: Connection, log: Log) {
    this.#connection = connection;
    this.#byId = connection.batcher<string, Order | undefined>((ids) => this.#ordersById(ids));
    this.#byKey = connection.batcher<KeysWanted, Order[]>((wanted) => this.#ordersByKeys(wanted), {
      weigh: ({ keys }) => keys.length,
      weightMax: keysMax,
      // After a sell-out each purchase of a turn asks for a key. One round trip answers all of them.
      schedule: setImmediate,
    });
    this.#packageById = connection.batcher<number, PackageSnapshot | undefined>((ids) =>
      this.#packagesById(ids),
    );
    this.#sessions = new CommitSessions(connection.client, hungAfter * connection.timeoutMs);
    this.#commits = new GroupCommit(connection, this.#sessions, log);
    this.#ownership = new GroupOwnership(
      connection,
      this.#sessions,
      (session) => this.#readsIn(session),
      log,
    );
    this.#unreadable = new UnreadableDocuments(log);
    this.ledger = new MongoLedger(connection);
    this.archive = new MongoArchive(connection, this.operatorEvents);
    this.outbox = new MongoOutbox(connection, this.#unreadable);
  }

  unreadable(): readonly UnreadableError[] {
    return this.#unreadable.list();
  }

  async takeOwnership(packageId: number, instance: string): Promise<Ownership | undefined> {
    this.#connection.refuseClosed();
    return this.#ownership.take(packageId, instance);
  }

  package(id: number): Promise<PackageSnapshot | undefined> {
    return this.#packageById.add(id);
  }

  async commit(packageId: number, fence: Fence, change: Change): Promise<void> {
    this.#connection.refuseClosed();
    await this.#commits.commit({ packageId, fence, change });
  }

  /**
   * Repeating a removal is safe: if the package is already removed, `removePackage` throws FencedError, and the caller
   * reads the state.
   */
  order(id: string): Promise<Order | undefined> {
    return this.#byId.add(id);
  }

  ordersByKey(packageId: number, keys: readonly string[]): Promise<Order[]> {
    return keys.length === 0 ? Promise.resolve([]) : this.#byKey.add({ packageId, keys });
  }

  async setting(name: string, make: () => string): Promise<string> {
    const kept = await this.#read((reads) => reads.setting(name));
    return kept ?? this.#write((writes) => writes.addSetting(name, make()));
  }

  /**
   * All reads of a snapshot see the state at its first read. The server keeps this state for
   * minSnapshotHistoryWindowInSeconds, 300 by default.
   */
  async snapshot(): Promise<StoreSnapshot | undefined> {
    const connection = this.#connection;
    connection.refuseClosed();
    const { timeoutMs: maxTimeMS, collections } = connection;
    const session = connection.client.startSession({ snapshot: true });
    const options = { session, readConcern: { level: 'snapshot' }, maxTimeMS } as const;
    const reads = new Reads(collections, options, this.#unreadable);
    return {
      package: (id) => connection.bounded(reads.package(id)),
      archivedCounts: (packageId) => connection.bounded(reads.archivedCounts(packageId)),
      ordersByKey: (packageId, keys) => connection.bounded(reads.ordersByKey(packageId, keys)),
      ordersPage: (packageId, cursor, limit) =>
        connection.bounded(reads.ordersPage(packageId, cursor, limit)),
      close: () => session.endSession(),
    };
  }

  async clear(): Promise<void> {
    await this.#write((writes) => writes.clear());
    const { collections, indexes } = this.#connection;
    await this.#connection.bounded(prepareIndexes(collections, indexes));
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #packagesById(ids: readonly number[]): Promise<(PackageSnapshot | UnreadableError | undefined)[]> {
    const byId = await this.#read((reads) => reads.packagesById(ids));
    return ids.map((id) => byId.get(id));
  }

  async #ordersById(ids: readonly string[]): Promise<(Order | UnreadableError | undefined)[]> {
    const byId = await this.#read((reads) => reads.ordersById(ids));
    return ids.map((id) => byId.get(id));
  }

  async #ordersByKeys(wanted: readonly KeysWanted[]): Promise<(Order[] | UnreadableError)[]> {
    const keysOf = new Map<number, Set<string>>();
    for (const { packageId, keys } of wanted) {
      const known = keysOf.get(packageId) ?? new Set();
      keysOf.set(packageId, known);
      for (const key of keys) known.add(key);
    }
    const found = await this.#read((reads) => reads.ordersByKeys(keysOf));
    if (found.length === 0) return wanted.map(() => []);
    const byName = new Map(found.map(({ packageId, key, order }) => [keyName(packageId, key), order]));
    return wanted.map(({ packageId, keys }) => {
      const orders: Order[] = [];
      for (const key of new Set(keys)) {
        const order = byName.get(keyName(packageId, key));
        if (order instanceof UnreadableError) return order;
        if (order !== undefined) orders.push(order);
      }
      return orders;
    });
  }

  /** Makes a method of the store from a query. */
  #reader<Name extends keyof Reads>(name: Name): Reads[Name] {
    type Query = (...args: unknown[]) => Promise<never>;
    return ((...args: unknown[]) => this.#read((reads) => (reads[name] as Query)(...args))) as Reads[Name];
  }

  /** Makes a method of the store from a write. */
  #writer<Name extends keyof Writes>(name: Name): Writes[Name] {
    type Write = (...args: unknown[]) => Promise<never>;
    return ((...args: unknown[]) =>
      this.#write((writes) => (writes[name] as Write)(...args))) as Writes[Name];
  }

  #read<T>(read: (reads: Reads) => Promise<T>): Promise<T> {
    return this.#connection.run((session) => read(this.#readsIn(session)));
  }

  #readsIn(session: ClientSession): Reads {
    const connection = this.#connection;
    return new Reads(connection.collections, connection.current(session), this.#unreadable);
  }

  #write<T>(write: (writes: Writes) => Promise<T>): Promise<T> {
    const connection = this.#connection;
    return connection.write((session) => write(new Writes(connection.collections, session)));
  }
}

function keyName(packageId: number, key: string | undefined): string {
  return `${packageId}:${key}`;
}
