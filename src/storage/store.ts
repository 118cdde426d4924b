import type { Change, Fence, Ownership } from '../domain/messages.ts';
import type { Order, OrderStatus } from '../domain/order.ts';
import type { PackageSnapshot, TravelPackage } from '../domain/travel-package.ts';
import type { Page } from '../lib/page.ts';
import type { OperatorLog } from './operator-log.ts';

/** Who took a package over last. */
export interface OwnerRecord {
  readonly packageId: number;
  /** Absent until somebody has. */
  readonly instance?: string;
  readonly epoch: number;
}

/** What a commit without ownership is built on. */
export interface VersionedPackage extends PackageSnapshot {
  readonly fence: Fence;
  /** Those that were asked for, by number. */
  readonly orders: readonly Order[];
}

/** Which orders of a package to read along with it. */
export type OrderSelection =
  | { readonly ids: readonly string[] }
  /** The first `max` unfinished ones, by number, with one of these statuses. */
  | { readonly statuses: readonly OrderStatus[]; readonly max: number };

/**
 * Where packages and orders are kept. The actor's owner is the only caller of `takeOwnership`, and of `commit` where
 * packages have owners; the plans commit on what is `present`. Pages, the API and the audit use the reads, on any
 * instance.
 *
 * Guarantees: what a method answered is durable (it survives a crash of the process and of the machine) and is
 * seen by every later read. A method that cannot reach the store throws {@link StoreUnavailableError}.
 * Never: reading the clock, retrying, or knowing what an order means.
 */
export interface Store extends OperatorLog {
  /** All packages by id. */
  packages(): Promise<PackageSnapshot[]>;
  package(id: number): Promise<PackageSnapshot | undefined>;
  /** Adds packages that are not there yet, with their whole quota remaining; leaves the others. Returns the ids added. */
  addPackages(packages: readonly TravelPackage[]): Promise<number[]>;
  /** The instance that last took the package over; undefined when none has yet, or there is no such package. */
  owner(packageId: number): Promise<string | undefined>;
  /** The same of all packages, by id. */
  ownerRecords(): Promise<OwnerRecord[]>;
  /** Ids of the packages that have unfinished orders: they need an owner after a crash. */
  packagesWithUnfinished(): Promise<number[]>;

  /**
   * Makes `instance` the package's owner: raises the epoch, durably, and only then reads.
   * Undefined when there is no such package.
   */
  takeOwnership(packageId: number, instance: string): Promise<Ownership | undefined>;

  /**
   * The package as it is, with its fence, and orders of it: when a commit with this fence applies, nothing of that
   * has changed meanwhile. For those who own nothing and try again when they are fenced.
   */
  versionedPackage(packageId: number, wanted?: OrderSelection): Promise<VersionedPackage | undefined>;

  /**
   * Applies a change if the package still carries the fence, and raises its seq.
   * @throws FencedError when it does not: another owner took over; nothing was applied.
   * @throws CommitUnknownError when it may or may not have been applied.
   * @throws StoreUnavailableError when it was not applied and may work later.
   * @throws Error for anything that will not pass (such as a duplicate id or key): nothing was applied.
   */
  commit(packageId: number, fence: Fence, change: Change): Promise<void>;

  /**
   * Removes a package that nobody has ordered, if it still carries the fence. An owner that has not heard of it is
   * fenced, also where its id is used again: the seq of an added package starts anywhere.
   * @throws FencedError when it does not carry the fence, has been ordered, or is not there.
   * @throws CommitUnknownError or StoreUnavailableError as `commit` does.
   */
  removePackage(packageId: number, fence: Fence): Promise<void>;

  order(id: string): Promise<Order | undefined>;
  orders(ids: readonly string[]): Promise<Order[]>;
  /** The orders of a package that were sent with one of these Idempotency-Keys. */
  ordersByKey(packageId: number, keys: readonly string[]): Promise<Order[]>;
  /** How many queued, held, compensating, confirmed or cancelling orders each email has in a package; absent means none. */
  liveOrdersByEmail(packageId: number, emails: readonly string[]): Promise<Map<string, number>>;

  /** All orders of a package by number, in pages of at most `limit`, for the audit. */
  ordersPage(packageId: number, cursor: string | undefined, limit: number): Promise<Page<Order>>;

  /** The newest orders of a package with a number below this one, newest first. */
  ordersBelow(packageId: number, number: number | undefined, limit: number): Promise<Order[]>;
  /**
   * The orders of a package that were bought with an email, by number. One page looks through `span` numbers, so it
   * may be empty although `next` is there: no index is kept for this.
   */
  ordersOfEmail(
    packageId: number,
    email: string,
    cursor: string | undefined,
    span: number,
  ): Promise<Page<Order>>;

  /** All orders that were bought with an email, the greatest package first, and of each the newest: an index is kept. */
  ordersByEmail(email: string, cursor: string | undefined, limit: number): Promise<Page<Order>>;

  /** The value kept under a name, if there is one. */
  settingIfAny(name: string): Promise<string | undefined>;
  /** The value kept under a name, made and kept if there is none; every instance gets the same. */
  setting(name: string, make: () => string): Promise<string>;
  /** The values kept under names that begin like this, by name. */
  settingsNamed(prefix: string): Promise<ReadonlyMap<string, string>>;
  /**
   * Puts another value in the place of the one that was read; undefined stands for none. False when it is another
   * by now: nothing was changed.
   */
  swapSetting(name: string, before: string | undefined, after: string | undefined): Promise<boolean>;

  /**
   * A view of the store at one moment, for the audit, which closes it after each package. Undefined, or no such
   * method, where there is none to be had: the audit then judges only what did not change while it read.
   */
  snapshot?(): Promise<StoreSnapshot | undefined>;
  /**
   * Deletes all packages, orders and what the simulated suppliers remember; settings stay. Called by
   * `db:init --reset` alone, while no instance runs.
   */
  clear?(): Promise<void>;

  /** A cheap read that shows whether the store answers. @throws StoreUnavailableError */
  ping(): Promise<void>;
  /**
   * A small durable write, of something that nobody reads, that shows whether the store takes writes: a full disk or
   * another one's lock leaves reads alone. Any number at once get along. @throws StoreUnavailableError
   */
  probe(): Promise<void>;
  close(): Promise<void>;
}

/** Reads that all see the same moment, until it is closed. */
export interface StoreSnapshot extends Pick<Store, 'package' | 'ordersByKey' | 'ordersPage'> {
  close(): Promise<void>;
}

/** Another owner holds a newer epoch, or the package's seq has moved on. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
}

/** The commit's answer was lost: only a new epoch tells whether it was applied. */
export class CommitUnknownError extends Error {
  override readonly name = 'CommitUnknownError';
}

/** The store does not answer now; nothing was applied; it may work later. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}
