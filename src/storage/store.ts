import type { Change, Fence, Ownership } from '../domain/messages.ts';
import type { Order, OrderStatus } from '../domain/order.ts';
import type { PackageSnapshot, TravelPackage } from '../domain/travel-package.ts';
import type { Page } from '../lib/page.ts';
import type { ArchivedCounts } from './archive-store.ts';
import type { OperatorLog } from './operator-log.ts';

/** The last owner of a package. */
export interface OwnerRecord {
  readonly packageId: number;
  /** The instance that owns or owned the package. Absent until the package has had an owner. */
  readonly instance?: string;
  readonly epoch: number;
}

/** A package with its fence, for a commit without ownership. */
export interface VersionedPackage extends PackageSnapshot {
  readonly fence: Fence;
  /** The orders that the caller selected, by number. */
  readonly orders: readonly Order[];
}

/** Selects orders to read together with a package. */
export type OrderSelection =
  | { readonly ids: readonly string[] }
  /** The first `max` unfinished orders, by number, with one of these statuses. Only those whose number is above `above`. */
  | { readonly statuses: readonly OrderStatus[]; readonly max: number; readonly above?: number };

/**
 * Stores packages and orders. In the actor engine only the owner of a package calls `takeOwnership` and `commit` for it.
 * The lock and queue engines commit with the fence of a `versionedPackage`. Every instance may read.
 *
 * A result is durable: it survives a crash of the process and of the machine, and every later read sees it. A method that
 * cannot reach the store throws {@link StoreUnavailableError}. A store does not read the clock, does not retry, and does
 * not interpret orders.
 *
 * A document that cannot be read affects only itself: lists leave it out, a read of it alone throws
 * {@link UnreadableError}, and `unreadable` names it. It is logged once, until it can be read.
 */
export interface Store extends OperatorLog {
  /** A page of the packages, by id. The cursor is the id of the last package that the page before has read. */
  packagesPage(cursor: string | undefined, limit: number): Promise<Page<PackageSnapshot>>;
  /** @throws UnreadableError */
  package(id: number): Promise<PackageSnapshot | undefined>;
  /** The documents that the reads of this process found unreadable, at most 1,000. */
  unreadable(): readonly UnreadableError[];
  /** Adds the packages that do not exist yet, with their whole quota remaining. Returns their ids. */
  addPackages(packages: readonly TravelPackage[]): Promise<number[]>;
  /** The instance that last took the package over; undefined if none has, or if there is no such package. */
  owner(packageId: number): Promise<string | undefined>;
  /** The last owners of these packages, in any sequence. Also of packages that cannot be read. */
  ownersOf(packageIds: readonly number[]): Promise<OwnerRecord[]>;
  /** A page of the last owners of all packages, by package id. Also of packages that cannot be read. */
  ownersPage(cursor: string | undefined, limit: number): Promise<Page<OwnerRecord>>;
  /** The greatest id of a package, readable or not; 0 without packages. */
  lastPackageId(): Promise<number>;
  /** Ids of the packages with unfinished orders. These packages need an owner after a crash. */
  packagesWithUnfinished(): Promise<number[]>;

  /**
   * Makes `instance` the package's owner: raises the epoch durably, and then reads the unfinished orders in pages, with
   * a time limit for each. Undefined if there is no such package.
   * @throws UnreadableError if the package cannot be read: its epoch stays. Or if one of its unfinished orders cannot be
   * read, because then nobody could finish it: the epoch is raised.
   */
  takeOwnership(packageId: number, instance: string): Promise<Ownership | undefined>;

  /**
   * The package with its fence and the selected orders. If a commit with this fence succeeds, neither the package nor
   * these orders changed in between. For engines without owners, which read again when they are fenced.
   * @throws UnreadableError if the package or one of the orders cannot be read.
   */
  versionedPackage(packageId: number, selection?: OrderSelection): Promise<VersionedPackage | undefined>;

  /**
   * Applies a change if the package still has the fence, and raises its seq.
   * @throws FencedError if the package has another fence, for example because another owner took over. Nothing was
   * applied.
   * @throws CommitUnknownError if the change may or may not have been applied.
   * @throws StoreUnavailableError if the change was not applied, but may work later.
   * @throws Error if the change can never work, for example because of a duplicate id or key. Nothing was applied.
   */
  commit(packageId: number, fence: Fence, change: Change): Promise<void>;

  /**
   * Removes a package without orders, if it still has the fence. The owner of a removed package is fenced, also if the
   * id is used again, because the first seq of a package is random.
   * @throws FencedError if the package has another fence, has orders, or does not exist.
   * @throws CommitUnknownError or StoreUnavailableError as `commit` does.
   */
  removePackage(packageId: number, fence: Fence): Promise<void>;

  /** @throws UnreadableError */
  order(id: string): Promise<Order | undefined>;
  orders(ids: readonly string[]): Promise<Order[]>;
  /**
   * The orders of a package that were sent with one of these Idempotency-Keys.
   * @throws UnreadableError if one of them cannot be read, so that its key is not taken for a new one (rule Q7).
   */
  ordersByKey(packageId: number, keys: readonly string[]): Promise<Order[]>;
  /**
   * Counts the queued, held, compensating, confirmed and cancelling orders of each email. An email without such orders
   * is absent.
   */
  liveOrdersByEmail(packageId: number, emails: readonly string[]): Promise<Map<string, number>>;

  /** All orders of a package by number, in pages of at most `limit`, for the audit. */
  ordersPage(packageId: number, cursor: string | undefined, limit: number): Promise<OrdersPage>;

  /** The package with orders that has the next greater id; undefined if there is none. */
  packageWithOrdersAbove(packageId: number): Promise<number | undefined>;
  /** The newest orders of a package below this number, newest first. */
  ordersBelow(packageId: number, number: number | undefined, limit: number): Promise<Order[]>;
  /** All orders with an email, from an index. They are sorted by package and number, both descending. */
  ordersByEmail(email: string, cursor: string | undefined, limit: number): Promise<Page<Order>>;

  /** How many orders of a package were archived, and removed from the store. */
  archivedCounts(packageId: number): Promise<ArchivedCounts>;
  /** Those of these ids that are ids of archived orders which were confirmed. Their reservations are still active. */
  archivedIds(ids: readonly string[]): Promise<string[]>;

  /** The value of a setting; undefined if the setting does not exist. */
  settingIfAny(name: string): Promise<string | undefined>;
  /**
   * The value of a setting. A missing setting gets the value that `make` returns. Every instance gets the same value.
   */
  setting(name: string, make: () => string): Promise<string>;
  /** The settings whose names begin with the prefix, by name. */
  settingsNamed(prefix: string): Promise<ReadonlyMap<string, string>>;
  /**
   * Replaces the value `before` with `after`; undefined stands for no value. Returns false, and changes nothing, if the
   * value is no longer `before`.
   */
  swapSetting(name: string, before: string | undefined, after: string | undefined): Promise<boolean>;

  /**
   * Opens a snapshot of the store for the audit, which closes the snapshot after each package. If the result is
   * undefined, or a store does not have this method, the audit checks only packages that did not change while it read
   * them.
   */
  snapshot?(): Promise<StoreSnapshot | undefined>;
  /**
   * Deletes all packages, orders and reservations of the simulated suppliers, but no settings. Only `db:init --reset`
   * calls it, while no instance runs.
   */
  clear(): Promise<void>;

  /** Checks with a cheap read that the store answers. @throws StoreUnavailableError */
  ping(): Promise<void>;
  /**
   * Checks with a small durable write that the store accepts writes. A read would not notice a full disk or another
   * process's lock. Probes may run concurrently.
   * @throws StoreUnavailableError
   */
  probe(): Promise<void>;
  close(): Promise<void>;
}

export interface OrdersPage extends Page<Order> {
  /** The orders of the page that cannot be read; absent if there are none. */
  readonly unreadable?: readonly UnreadableError[];
}

/** Reads that all see the store at the same moment. @throws SnapshotExpiredError when that was too long ago. */
export interface StoreSnapshot
  extends Pick<Store, 'package' | 'ordersByKey' | 'ordersPage' | 'archivedCounts'> {
  close(): Promise<void>;
}

/** The package has another epoch or seq: another owner took over, or another commit was applied. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
}

/** The answer to the commit was lost. After taking ownership again, a read shows whether the commit was applied. */
export class CommitUnknownError extends Error {
  override readonly name = 'CommitUnknownError';
}

/** The store does not answer. Nothing was applied, and a later attempt may work. */
export class StoreUnavailableError extends Error {
  override readonly name: string = 'StoreUnavailableError';
}

/** The store no longer keeps the data of the snapshot's time. A new snapshot can be read. */
export class SnapshotExpiredError extends StoreUnavailableError {
  override readonly name = 'SnapshotExpiredError';
}

/** The subject of a stored document. */
export interface DocumentSubject {
  /** Absent for an entry of the operator log. */
  readonly packageId?: number;
  /** Absent for a package. */
  readonly orderId?: string;
  readonly eventId?: string;
}

/**
 * A stored document cannot be read by this release: a newer release wrote it, or it is damaged. To its readers the store
 * is unavailable; all other documents can be read.
 */
export class UnreadableError extends StoreUnavailableError {
  override readonly name = 'UnreadableError';
  readonly subject: DocumentSubject;
  /** The document's version, if a newer release wrote it. */
  readonly version: number | undefined;

  constructor(subject: DocumentSubject, version?: number) {
    const reason =
      version === undefined
        ? 'it is damaged'
        : `it was written by a newer release (document version ${version}): run that release`;
    super(`${inWords(subject)} cannot be read: ${reason}`);
    this.subject = subject;
    this.version = version;
  }
}

function inWords({ packageId, orderId, eventId }: DocumentSubject): string {
  if (eventId !== undefined) return `entry ${eventId} of the operator log`;
  return orderId === undefined ? `package ${packageId}` : `order ${orderId} of package ${packageId}`;
}
