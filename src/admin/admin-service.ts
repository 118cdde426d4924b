import type { AuditReport } from '../audit/audit-report.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { PackageUpdate } from '../domain/messages.ts';
import type { Order, OrderStatus } from '../domain/order.ts';
import type { Inventory, Offer, TravelPackage } from '../domain/travel-package.ts';
import type { Activity } from '../engine/operated-engine.ts';
import type { Page } from '../lib/page.ts';
import type { Operator, OperatorEvent } from '../storage/operator-log.ts';

/** A change that was made, or why it was not. `order` is there where it is about one. */
export type Outcome<Value> =
  | { readonly kind: 'done'; readonly value: Value }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly order?: Order };

export interface PackageOwner {
  /** The instance that last took the package over. */
  readonly instance: string;
  /** It grows with every takeover. */
  readonly epoch: number;
  /**
   * `active`: it acts for the package now. `idle`: it is there, and has nothing to do for it. `silent`: it did not
   * answer in time. `gone`: it announces itself no more; the next purchase finds another owner.
   */
  readonly state: 'active' | 'idle' | 'silent' | 'gone';
}

/** A package as an operator sees it. */
export interface PackageStatus {
  readonly package: TravelPackage;
  readonly inventory: Inventory;
  /** What a purchase would be refused with now; absent while it would be taken. */
  readonly obstacle?: 'paused' | 'not_open' | 'sale_closed' | 'sold_out' | 'queue_full';
  /** Places in its line. */
  readonly waitersMax: number;
  /** Absent until somebody has bought, and with the plans, where packages have no owner. */
  readonly owner?: PackageOwner;
  /** Absent unless its owner is active and answers. */
  readonly activity?: Activity;
}

export interface NewPackage extends Offer {
  /** Absent: the next that is free. */
  readonly id?: number;
  readonly quota: number;
  /** ms since the epoch. */
  readonly opensAt?: number;
  readonly closesAt?: number;
  /** Made while nobody may buy it yet. */
  readonly paused?: boolean;
  /** False: in no list of customers. */
  readonly listed?: boolean;
}

/** What an instance has to do at this moment. */
export interface InstanceLoad {
  /** Those it acts for. */
  readonly packages: number;
  /** Messages in all mailboxes. */
  readonly mailbox: number;
  /** Orders being booked or cancelled at the suppliers, those that wait for their turn included. */
  readonly sagas: number;
  /** Open WebSockets. */
  readonly sockets: number;
  /** The worst delay of a timer in the last second or two. */
  readonly eventLoopLagMs: number;
  /** Resident memory. */
  readonly rssBytes: number;
  /** Orders stored, over the last ten seconds. */
  readonly purchasesPerS: number;
}

/** An instance that died, or was cut off: it did not leave in order. */
export interface LostInstance {
  readonly id: string;
  /** Since when it has not announced itself, in ms since the epoch. */
  readonly at: number;
  /** The instance that noticed it. */
  readonly noticedBy: string;
  /** How many packages it owned. */
  readonly packages: number;
  /** The first of them by id, ten at most. */
  readonly firstPackages: readonly number[];
  /** Who owns them now, as far as a thousand of them tell. */
  readonly takenOver: readonly { readonly instance: string; readonly packages: number }[];
  /** Those of them that nobody has taken over: the next purchase finds an owner. */
  readonly unowned: number;
}

export type InstanceStatus =
  | ({ readonly isThis: false; readonly state: 'lost' } & LostInstance)
  /** A member that did not answer in time, or one that has just gone without leaving: it is lost soon. */
  | { readonly id: string; readonly isThis: false; readonly state: 'silent' }
  | {
      readonly id: string;
      /** Whether it is the one that answers. */
      readonly isThis: boolean;
      /** `not_ready`: it runs, and cannot take orders. */
      readonly state: 'ready' | 'not_ready' | 'draining';
      /** What keeps it from taking orders, in words; empty when it is ready. */
      readonly missing: readonly string[];
      /** Whether the suppliers answer it; while not, the lines of its packages wait. */
      readonly suppliersAvailable: boolean;
      /** ms since the epoch. */
      readonly startedAt: number;
      /** Of the program. */
      readonly version: string;
      readonly load: InstanceLoad;
    };

/**
 * `stuck`: held, compensating or cancelling for 30 s or longer. `slow`: the same for 5 s or longer.
 * Waiting in the line is neither: that is what a line is for.
 */
export type OrderHealth = 'stuck' | 'slow';

export interface AdminOrder {
  readonly order: Order;
  /** Since when it has its status, in ms since the epoch. */
  readonly since: number;
  readonly health?: OrderHealth;
}

export interface OrdersQuery {
  /** Only those that are a concern, of every package or of this one: the stuck first, then the slow, oldest first. */
  readonly stuck?: boolean;
  readonly packageId?: number;
  readonly status?: OrderStatus;
  readonly cursor?: string;
  /** At most so many; default 50. */
  readonly limit?: number;
}

/** One page of orders. `next` may be there although `orders` is short or empty: a page looks at so many and no more. */
export interface OrdersFound {
  readonly orders: readonly AdminOrder[];
  readonly next?: string;
}

export interface AuditParams {
  /** How far the clocks of instances may be apart before a claim counts as unfair, in ms; default 0. */
  readonly clockSkewMs?: number;
}

export interface EraseResult {
  /** Orders from which the email is gone. */
  readonly erased: number;
  /** Orders that still have it because they are not finished: repeat when they are. */
  readonly left: number;
}

/**
 * Everything that an operator sees and does: what `/api/admin` and the admin pages are made of.
 *
 * Every instance answers for all of them. What changes something is written into the log of changes first (see
 * {@link OperatorEvent}), also when it is refused then. Operating errors come as `refused` with a code of the
 * catalogue: `store_unavailable` before anything was changed, `no_owner` or `overloaded` when it may have been.
 *
 * @throws StoreUnavailableError from the readings.
 */
export interface AdminService {
  /** All packages by id. Their owners are asked at most once a second, however many look. */
  packages(): Promise<readonly PackageStatus[]>;
  package(id: number): Promise<PackageStatus | undefined>;
  /** `package_exists` when the id that was asked for is taken. Known to every instance once it has answered, or 250 ms later. */
  create(by: Operator, wish: NewPackage): Promise<Outcome<TravelPackage>>;
  /** `unknown_package`, `version_conflict`, `quota_too_low`, or `invalid` when it would close before it opens. */
  amend(by: Operator, id: number, change: PackageUpdate): Promise<Outcome<TravelPackage>>;
  /** While paused, purchases get `paused` and the line keeps its place; what is being booked goes on. Repeating it is harmless. */
  pause(by: Operator, id: number, paused: boolean): Promise<Outcome<TravelPackage>>;

  /** Takes a package whose sale has ended out of every list; its orders stay. `unknown_package`, `sale_not_ended`. */
  archive(by: Operator, id: number): Promise<Outcome<TravelPackage>>;
  /** Deletes a package that nobody has ordered. `unknown_package`, `package_not_empty`. */
  remove(by: Operator, id: number): Promise<Outcome<TravelPackage>>;

  /**
   * The members of the cluster by id, with what each says of itself; this one alone where there is no cluster. Those
   * that were lost in the last day stay, until somebody dismisses them or they come back.
   */
  instances(): Promise<readonly InstanceStatus[]>;
  /**
   * Has an instance leave as on SIGTERM: it stops being ready, gives its packages to the others, answers its callers,
   * sends its viewers to another instance (sockets close with 1012) and its process exits 0. Whoever runs it may
   * start it again. Answers when it has begun. `unknown_instance` when no member has this id, `no_answer` when it
   * could not be told.
   */
  drain(by: Operator, instance: string): Promise<Outcome<{ readonly instance: string }>>;

  /** Shows a lost instance no more. `unknown_instance` when none with this id is lost. */
  dismissInstance(by: Operator, instance: string): Promise<Outcome<{ readonly instance: string }>>;

  /**
   * Newest first, package after package by id. With `stuck` as it says there, and with the status of an order that
   * has not ended oldest first: both have one page, of 200 at most.
   */
  orders(query: OrdersQuery): Promise<OrdersFound>;
  /**
   * All orders bought with an email, of the greatest package first, and of each the newest first.
   * @param email trimmed and in lower case.
   */
  ordersOfEmail(email: string, cursor?: string, limit?: number): Promise<OrdersFound>;
  order(id: string): Promise<AdminOrder | undefined>;
  /**
   * Has the owner try now: an order that sleeps between attempts at its suppliers is asked for again at once, under
   * the same key, so it is harmless however often. `unknown_order`, or `not_retryable` once it has ended.
   */
  retryOrder(by: Operator, id: string): Promise<Outcome<Order>>;
  /** As its buyer could: queued → withdrawn, confirmed → cancelling; `in_progress`, `not_cancellable`, `unknown_order`. */
  cancelOrder(by: Operator, id: string): Promise<Outcome<Order>>;
  /**
   * Replaces an email by a random placeholder in every order that has ended, and an Idempotency-Key that contains it.
   * It cannot be undone: nobody can look these orders up any more, and a confirmed one stays valid at its suppliers.
   * @param email trimmed and in lower case.
   */
  erase(by: Operator, email: string): Promise<Outcome<EraseResult>>;

  /**
   * Holds everything stored against the promises, as `npm run audit` does. One at a time: else `audit_running`.
   * `ledger_unavailable` when the suppliers should show their ledger, and do not.
   */
  audit(wish?: AuditParams): Promise<Outcome<AuditReport>>;
  /** The log of changes, newest first. */
  changes(cursor?: string, limit?: number): Promise<Page<OperatorEvent>>;

  /** Notes that a browser was signed in. */
  sessionStarted(by: Operator): Promise<Outcome<true>>;
  /** Its cookie is worth nothing from here on, at any instance. */
  endSession(by: Operator): Promise<Outcome<true>>;
  isSessionEnded(session: string): Promise<boolean>;
}

/** Absent fields of {@link NewPackage} and {@link PackageUpdate} keep within these. */
export const quotaMax = 1_000_000_000;
export const priceMax = 1_000_000_000;
