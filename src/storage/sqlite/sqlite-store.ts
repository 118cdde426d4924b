import { statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Change, Fence, Ownership } from '../../domain/messages.ts';
import type { Order } from '../../domain/order.ts';
import type { PackageSnapshot, TravelPackage } from '../../domain/travel-package.ts';
import type { Page } from '../../lib/page.ts';
import type { Log } from '../../observability/log.ts';
import type { SimulationLedger } from '../../suppliers/suppliers.ts';
import type { ArchiveStore } from '../archive-store.ts';
import type { OperatorEvent, OperatorEventEnd } from '../operator-log.ts';
import type { OutboxStore } from '../outbox.ts';
import {
  CommitUnknownError,
  SnapshotExpiredError,
  type Store,
  type StoreSnapshot,
  StoreUnavailableError,
  type UnreadableError,
} from '../store.ts';
import { readUnfinished } from '../store-helpers.ts';
import { UnreadableDocuments } from '../unreadable.ts';
import { SqliteArchive } from './archive.ts';
import { type Checkpoints, openCheckpoints } from './checkpoints.ts';
import { type Connection, type ConnectionOptions, openConnection } from './connection.ts';
import { asStoreError } from './errors.ts';
import { GroupCommit } from './group-commit.ts';
import { SqliteLedger } from './ledger.ts';
import { OperatorEvents } from './operator-events.ts';
import { SqliteOutbox } from './outbox.ts';
import { Reads } from './reads.ts';
import { Writes } from './writes.ts';

/**
 * The store in one SQLite file, for one process.
 * @throws Error with one line that says why the file cannot be used.
 */
export function openSqliteStore(options: ConnectionOptions & { readonly log?: Log }): SqliteStore {
  return new SqliteStore(openConnection(options), options.log);
}

/** Reads are synchronous and see committed state only. Writes go through {@link GroupCommit}. */
export class SqliteStore implements Store {
  /** The ledger of the simulation, in the same file and the same flushes. */
  readonly ledger: SimulationLedger;
  readonly archive: ArchiveStore;
  readonly outbox: OutboxStore;
  readonly #connection: Connection;
  readonly #checkpoints: Checkpoints | undefined;
  readonly #commits: GroupCommit;
  readonly #reads: Reads;
  readonly #writes: Writes;
  readonly #unreadable: UnreadableDocuments;
  readonly #begin: StatementSync;
  readonly #rollBack: StatementSync;
  #operatorEvents: OperatorEvents | undefined;

  // The methods of the port that only call a query.
  readonly package = this.#reader('package');
  readonly owner = this.#reader('owner');
  readonly ownersOf = this.#reader('ownersOf');
  readonly ownersPage = this.#reader('ownersPage');
  readonly lastPackageId = this.#reader('lastPackageId');
  readonly packagesWithUnfinished = this.#reader('packagesWithUnfinished');
  readonly versionedPackage = this.#reader('versionedPackage');
  readonly order = this.#reader('order');
  readonly orders = this.#reader('orders');
  readonly ordersByKey = this.#reader('ordersByKey');
  readonly liveOrdersByEmail = this.#reader('liveOrdersByEmail');
  readonly ordersPage = this.#reader('ordersPage');
  readonly packageWithOrdersAbove = this.#reader('packageWithOrdersAbove');
  readonly ordersBelow = this.#reader('ordersBelow');
  readonly archivedCounts = this.#reader('archivedCounts');
  readonly archivedIds = this.#reader('archivedIds');
  readonly settingIfAny = this.#reader('setting');
  readonly ping = this.#reader('ping');

  // The methods of the port that only call a write which may be repeated.
  readonly clear = this.#writer('clear');
  readonly probe = this.#writer('probe');

  constructor(connection: Connection, log?: Log) {
    this.#connection = connection;
    this.#begin = connection.db.prepare('BEGIN');
    this.#rollBack = connection.db.prepare('ROLLBACK');
    this.#checkpoints = openCheckpoints(connection, log);
    this.#commits = new GroupCommit(connection.db, this.#checkpoints);
    this.#unreadable = new UnreadableDocuments(log);
    this.#reads = new Reads(connection.db, this.#unreadable);
    const access = {
      read: <T>(work: () => T) => this.#read(work),
      write: <T>(work: () => T, rows: number) => this.#write(work, rows),
    };
    const outbox = new SqliteOutbox(connection.db, this.#unreadable, access);
    this.outbox = outbox;
    this.#writes = new Writes(connection.db, this.#reads, outbox);
    this.ledger = new SqliteLedger(connection.db, this.#commits, async () => {});
    this.archive = new SqliteArchive(connection.db, {
      ...access,
      operatorEvents: (cursor, limit) => this.operatorEvents(cursor, limit),
      forgetNotices: (packageId, orderId) => outbox.forget(packageId, orderId),
    });
  }

  unreadable(): readonly UnreadableError[] {
    return this.#unreadable.list();
  }

  /** Other work of the process runs between the pages. */
  async packagesPage(cursor: string | undefined, limit: number): Promise<Page<PackageSnapshot>> {
    if (cursor !== undefined) await nextTurn();
    return this.#read((reads) => reads.packagesPage(cursor, limit));
  }

  /** Other work of the process runs between the parts of a long search. */
  async ordersByEmail(email: string, cursor: string | undefined, limit: number): Promise<Page<Order>> {
    const items: Order[] = [];
    let after = cursor;
    for (;;) {
      const page = await this.#read((reads) => reads.ordersByEmail(email, after, limit - items.length));
      items.push(...page.items);
      if (page.next === undefined || items.length >= limit) return { ...page, items };
      after = page.next;
      await nextTurn();
    }
  }

  /** Other work of the process runs between the pages. */
  async takeOwnership(packageId: number, instance: string): Promise<Ownership | undefined> {
    const raised = await this.#write(() => this.#writes.raiseEpoch(packageId, instance));
    if (raised === undefined) return undefined;
    const unfinished = await readUnfinished(async (above, limit) => {
      await nextTurn();
      return this.#read((reads) => reads.unfinished(packageId, above, limit));
    });
    return { ...raised, unfinished };
  }

  addPackages(packages: readonly TravelPackage[]): Promise<number[]> {
    return this.#write(
      () => packages.filter((added) => this.#writes.addPackage(added)).map(({ id }) => id),
      packages.length,
    );
  }

  async commit(packageId: number, fence: Fence, change: Change): Promise<void> {
    const { inserted, updated, erased = [], notices = [] } = change;
    const rows = 1 + inserted.length + updated.length + erased.length + notices.length;
    await this.#commits.write(() => this.#writes.commit(packageId, fence, change), rows);
  }

  async removePackage(packageId: number, fence: Fence): Promise<void> {
    await this.#commits.write(() => this.#writes.removePackage(packageId, fence));
  }

  async setting(name: string, make: () => string): Promise<string> {
    const kept = await this.settingIfAny(name);
    return kept ?? this.#write(() => this.#writes.addSetting(name, make()));
  }

  settingsNamed(prefix: string): Promise<ReadonlyMap<string, string>> {
    return this.#read((reads) => reads.settingsNamed(prefix));
  }

  swapSetting(name: string, before: string | undefined, after: string | undefined): Promise<boolean> {
    return this.#write(() => this.#writes.swapSetting(name, before, after));
  }

  async appendOperatorEvent(event: OperatorEvent): Promise<void> {
    await this.#write(() => this.#operators.append(event));
  }

  async endOperatorEvent(id: string, end: OperatorEventEnd): Promise<void> {
    await this.#write(() => this.#operators.end(id, end));
  }

  operatorEvents(cursor: string | undefined, limit: number): Promise<Page<OperatorEvent>> {
    return this.#read(() => this.#operators.page(cursor, limit));
  }

  /**
   * Opens a read transaction on another connection. A database in memory has no other connection, so the result is
   * undefined.
   */
  async snapshot(): Promise<StoreSnapshot | undefined> {
    const { file, inMemory } = this.#connection;
    return inMemory ? undefined : snapshotOf(file, this.#unreadable);
  }

  async close(): Promise<void> {
    await this.#commits.close();
    await this.#checkpoints?.close();
    this.#connection.close();
  }

  /** Prepared at the first use, because a file of an older release that is only read does not have the table. */
  get #operators(): OperatorEvents {
    this.#operatorEvents ??= new OperatorEvents(this.#connection.db, this.#unreadable);
    return this.#operatorEvents;
  }

  /** Makes a method of the store from a query. */
  #reader<Name extends keyof Reads>(
    name: Name,
  ): (...args: Parameters<Reads[Name]>) => Promise<ReturnType<Reads[Name]>> {
    type Query = (...args: Parameters<Reads[Name]>) => ReturnType<Reads[Name]>;
    return (...args) => this.#read((reads) => (reads[name] as Query)(...args));
  }

  /** Makes a method of the store from a write. */
  #writer<Name extends keyof Writes>(
    name: Name,
  ): (...args: Parameters<Writes[Name]>) => Promise<ReturnType<Writes[Name]>> {
    type Write = (...args: Parameters<Writes[Name]>) => ReturnType<Writes[Name]>;
    return (...args) => this.#write(() => (this.#writes[name] as Write)(...args));
  }

  async #read<T>(read: (reads: Reads) => T): Promise<T> {
    try {
      this.#beginReading();
      return read(this.#reads);
    } catch (error) {
      throw asStoreError(error);
    }
  }

  /**
   * Lets the reads of a turn share a transaction, because its begin takes three times as long as the look-up of a row.
   * A flush ends it, so reads see what this process has committed.
   */
  #beginReading(): void {
    const { db, isLocked } = this.#connection;
    if (!isLocked || db.isTransaction) return;
    this.#begin.run();
    setImmediate(() => {
      if (db.isOpen && db.isTransaction) this.#rollBack.run();
    });
  }

  /**
   * Runs a write that may be repeated. An unknown outcome is reported as unavailable, so that the caller repeats the
   * write.
   */
  async #write<T>(work: () => T, rows = 1): Promise<T> {
    try {
      return await this.#commits.write(work, rows);
    } catch (error) {
      if (!(error instanceof CommitUnknownError)) throw error;
      throw new StoreUnavailableError(error.message, { cause: error });
    }
  }
}

/** A snapshot ends when the log, which cannot begin again before, has grown by so many bytes. */
export const snapshotLogMax = 256 * 1024 * 1024;

/** Opens a snapshot. In WAL mode a transaction sees the database as it was at the transaction's first read. */
function snapshotOf(file: string, unreadable: UnreadableDocuments): StoreSnapshot {
  const logBytes = () => statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  const logMax = logBytes() + snapshotLogMax;
  const db = new DatabaseSync(file, { readOnly: true });
  db.exec('BEGIN');
  const reads = new Reads(db, unreadable);
  return {
    package: async (id) => reads.package(id),
    archivedCounts: async (packageId) => reads.archivedCounts(packageId),
    ordersByKey: async (packageId, keys) => reads.ordersByKey(packageId, keys),
    ordersPage: async (packageId, cursor, limit) => {
      if (logBytes() <= logMax) return reads.ordersPage(packageId, cursor, limit);
      throw new SnapshotExpiredError('the log of the database has become too long for a snapshot');
    },
    close: async () => db.close(),
  };
}
