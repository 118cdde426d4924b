import pLimit from 'p-limit';
import { boundedStore } from '../audit/bounded-reads.ts';
import { orderPages } from '../audit/order-pages.ts';
import type { Accepted, Refused } from '../domain/messages.ts';
import {
  type Order,
  type OrderStatus,
  parseOrderId,
  sagaStatuses,
  type TimelineEvent,
  unfinishedStatuses,
} from '../domain/order.ts';
import type { OperatedEngine, Result } from '../engine/operated-engine.ts';
import { Cached } from '../lib/cached.ts';
import type { Clock } from '../lib/clock.ts';
import { defined } from '../lib/defined.ts';
import type { Page } from '../lib/page.ts';
import type { Operator, OperatorAction } from '../storage/operator-log.ts';
import { type Store, UnreadableError } from '../storage/store.ts';
import { type ChangeLog, orUnavailable } from './change-log.ts';

/**
 * `stuck`: held, compensating or cancelling for 30 s or longer, or payable for so long after its time. `slow`: the same
 * for 5 s or longer. Orders in the queue are neither.
 */
export type OrderHealth = 'stuck' | 'slow';

/** An order as operators see it. */
export interface AdminOrder {
  readonly order: Order;
  /** When the order got its present status, as Unix time in ms. */
  readonly since: number;
  /** Absent for a healthy order. */
  readonly health?: OrderHealth;
}

export interface OrdersQuery {
  /** True: the page has only stuck and slow orders, stuck before slow, each oldest first. */
  readonly stuck?: boolean;
  readonly packageId?: number;
  readonly status?: OrderStatus;
  /** The `next` of the previous page. */
  readonly cursor?: string;
  /** Default 50, at most 200. */
  readonly limit?: number;
}

/** The orders of an export. */
export interface ExportQuery {
  readonly packageId?: number;
  readonly status?: OrderStatus;
  /** Only orders that were made at this time or later, as Unix time in ms. */
  readonly from?: number;
  /** Only orders that were made before this time, as Unix time in ms. */
  readonly to?: number;
}

export interface OrderServiceOptions {
  readonly engine: OperatedEngine;
  readonly store: Store;
  readonly clock: Clock;
}

const limitDefault = 50;
const limitMax = 200;
/** How many orders of one package are checked for their health. These are the package's oldest orders. */
const checkedMax = 500;
/** How many orders one page reads at most, however few of them match. */
const readMax = 2_000;
/** How many packages one page visits at most, however few orders they have. */
const visitedMax = 500;
/** Above every order's number. */
const top = 999_999_999_999_999;
const unhealthyMaxAgeMs = 2_000;
const parallelReadsMax = 8;
const stuckAfterMs = 30_000;
const slowAfterMs = 5_000;
/** Small pages, one at a time, with a pause before each, so that exports do not slow down a sale in the same process. */
const exportPage = 250;
const exportPauseMs = 2;

/** Lists, retries and cancels orders for operators. Every change is logged; see {@link ChangeLog}. */
export class OrderService {
  readonly #options: OrderServiceOptions;
  readonly #changes: ChangeLog;
  /** The stuck and slow orders of all packages, shared by all viewers of the overview. */
  readonly #unhealthy: Cached<readonly AdminOrder[]>;
  /** Exports take turns to read a page, so any number of them loads the store like one. */
  readonly #exportTurns = pLimit(1);

  constructor(options: OrderServiceOptions, changes: ChangeLog) {
    this.#options = options;
    this.#changes = changes;
    const { clock } = options;
    this.#unhealthy = new Cached(() => this.#findUnhealthy(), { clock, maxAgeMs: unhealthyMaxAgeMs });
  }

  /**
   * Lists orders package by package in the order of their ids, newest first in each. A query for `stuck`, or for the
   * status of an unfinished order, has a single page of at most 200 orders, oldest first. Any other page reads a
   * limited number of orders, so it may have a `next` although it is short or empty.
   * @throws StoreUnavailableError
   */
  async list(query: OrdersQuery): Promise<Page<AdminOrder>> {
    const { stuck = false, packageId, status } = query;
    const limit = Math.min(query.limit ?? (stuck ? limitMax : limitDefault), limitMax);
    if (stuck) {
      const all = await (packageId === undefined ? this.#unhealthy.get() : this.#findUnhealthy(packageId));
      const items = all.filter(({ order }) => status === undefined || order.status === status);
      return { items: items.slice(0, limit) };
    }
    if (status !== undefined && unfinishedStatuses.includes(status)) {
      const orders = await this.#findUnfinished(packageId, [status], limit);
      return { items: orders.sort(oldestFirst).slice(0, limit) };
    }
    return this.#walk(query, limit);
  }

  /**
   * All orders of an email: the package with the greatest id first, and of each package the newest order first.
   * @param email trimmed and in lower case.
   * @throws StoreUnavailableError
   */
  async listByEmail(email: string, cursor?: string, limit = limitDefault): Promise<Page<AdminOrder>> {
    const { store, clock } = this.#options;
    const { items, next } = await store.ordersByEmail(email, cursor, Math.min(limit, limitMax));
    return { items: withHealth(items, clock.now()), ...defined({ next }) };
  }

  /**
   * All orders that match, page by page, by package and number: see {@link orderPages}. A page may be empty. An order that
   * cannot be read is in its page as an error, whatever its status and time, so that it is not missed. Each page is read
   * when it is wanted, with a pause before it, and one page at a time for all exports.
   * @throws StoreUnavailableError from each page.
   */
  async *exportPages(query: ExportQuery): AsyncGenerator<readonly (AdminOrder | UnreadableError)[]> {
    const { packageId, status, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = query;
    const { store, clock } = this.#options;
    const isWanted = (order: Order) =>
      (status === undefined || order.status === status) && order.createdAt >= from && order.createdAt < to;
    const bounded = boundedStore(store, { clock, pauseMs: exportPauseMs });
    const inTurn = {
      ...bounded,
      ordersPage: (...parameters: Parameters<typeof bounded.ordersPage>) =>
        this.#exportTurns(() => bounded.ordersPage(...parameters)),
    };
    for await (const { items, unreadable = [] } of orderPages(inTurn, { pageSize: exportPage, packageId })) {
      yield [...withHealth(items.filter(isWanted), clock.now()), ...unreadable];
    }
  }

  /** Undefined if there is no such order. @throws StoreUnavailableError */
  async get(id: string): Promise<AdminOrder | undefined> {
    const order = await this.#stored(id);
    return order && withHealth([order], this.#options.clock.now())[0];
  }

  /**
   * Makes the owner call the suppliers now instead of after the current pause. The idempotency key stays the same, so
   * repeating the call is harmless. Refused with `unknown_order`, or with `not_retryable` if the order has ended.
   */
  retry(by: Operator, id: string): Promise<Result<Order>> {
    return this.#change(by, 'order.retry', id, (order) => this.#options.engine.retry(order));
  }

  /**
   * Cancels an order under the same conditions as for its buyer. Refused with `unknown_order`, `in_progress` or
   * `not_cancellable` or `trip_over`.
   */
  cancel(by: Operator, id: string): Promise<Result<Order>> {
    return this.#change(by, 'order.cancel', id, (order) => this.#options.engine.cancel(order));
  }

  #change(
    by: Operator,
    action: OperatorAction,
    id: string,
    change: (order: Order) => Promise<Accepted | Refused>,
  ): Promise<Result<Order>> {
    return orUnavailable(async () => {
      const order = await this.#stored(id);
      // Only a well-formed id is logged: anything else may be personal data.
      const target = defined({ orderId: parseOrderId(id), packageId: order?.packageId });
      const before = order && { status: order.status };
      const make = async (): Promise<Result<Order>> => {
        if (order === undefined) return { kind: 'refused', code: 'unknown_order' };
        const answer = await change(order);
        return answer.kind === 'refused' ? answer : { kind: 'done', value: answer.order };
      };
      return this.#changes.record({ by, action, target, before }, make, ({ status }) => ({ status }));
    });
  }

  async #stored(id: string): Promise<Order | undefined> {
    const canonical = parseOrderId(id);
    return canonical === undefined ? undefined : this.#options.store.order(canonical);
  }

  /** The stuck orders first, then the slow ones, each oldest first. */
  async #findUnhealthy(packageId?: number): Promise<readonly AdminOrder[]> {
    const busy = await this.#findUnfinished(packageId, sagaStatuses, checkedMax);
    const unhealthy = busy.filter(({ health }) => health !== undefined);
    return unhealthy.sort(
      (one, other) =>
        Number(other.health === 'stuck') - Number(one.health === 'stuck') || oldestFirst(one, other),
    );
  }

  async #findUnfinished(
    packageId: number | undefined,
    statuses: readonly OrderStatus[],
    max: number,
  ): Promise<AdminOrder[]> {
    const { store, clock } = this.#options;
    const ids = packageId === undefined ? await store.packagesWithUnfinished() : [packageId];
    const turns = pLimit(parallelReadsMax);
    const readOne = async (id: number): Promise<readonly Order[]> => {
      if (statuses.includes('queued')) return this.#firstUnfinished(id, statuses, max);
      const sagas = await this.#sagasOf(id);
      const orders = sagas === 0 ? [] : await this.#firstUnfinished(id, sagaStatuses, Math.min(max, sagas));
      return orders.filter(({ status }) => statuses.includes(status));
    };
    const read = await Promise.all(ids.map((id) => turns(() => readOne(id))));
    const now = clock.now();
    return read.flatMap((orders) => withHealth(orders, now));
  }

  async #firstUnfinished(
    packageId: number,
    statuses: readonly OrderStatus[],
    max: number,
  ): Promise<readonly Order[]> {
    const found = await this.#options.store
      .versionedPackage(packageId, { statuses, max })
      .catch(noneIfUnreadable);
    return found?.orders ?? [];
  }

  /**
   * How many orders of a package have a saga. They have lower numbers than the whole queue, so a read of so many orders
   * does not go through the queue.
   */
  async #sagasOf(packageId: number): Promise<number> {
    const found = await this.#options.store.package(packageId).catch(noneIfUnreadable);
    return found === undefined ? 0 : found.inventory.held + found.inventory.cancelling;
  }

  /** Reads package by package, newest order first. The cursor is the last package and order number that were read. */
  async #walk({ packageId, status, cursor }: OrdersQuery, limit: number): Promise<Page<AdminOrder>> {
    const { store, clock } = this.#options;
    const from = /^(?<id>\d{1,15})-(?<below>\d{1,15})$/.exec(cursor ?? '')?.groups;
    const next = (above: number) =>
      packageId === undefined ? store.packageWithOrdersAbove(above) : undefined;
    const found: Order[] = [];
    let readCount = 0;
    let visitedCount = 0;
    const first = Number(from?.id ?? 1);
    let id = packageId === undefined ? await next(first - 1) : [packageId].find((each) => each >= first);
    for (; id !== undefined; id = await next(id)) {
      if (visitedCount++ === visitedMax)
        return { items: withHealth(found, clock.now()), next: `${id}-${top}` };
      let below = id === Number(from?.id) ? Number(from?.below) : undefined;
      let page: readonly Order[];
      do {
        page = await store.ordersBelow(id, below, limitMax);
        for (const order of page) {
          readCount += 1;
          below = order.number;
          if (status === undefined || order.status === status) found.push(order);
          if (found.length < limit && readCount < readMax) continue;
          return { items: withHealth(found, clock.now()), next: `${id}-${below}` };
        }
      } while (page.length === limitMax);
    }
    return { items: withHealth(found, clock.now()) };
  }
}

/** A package with an unreadable order is not served, so its orders do not move. It is a problem of its own. */
function noneIfUnreadable(error: unknown): undefined {
  if (!(error instanceof UnreadableError)) throw error;
}

/** The timeline event that begins each status. */
const beginnings: Readonly<Record<OrderStatus, TimelineEvent>> = {
  queued: 'queued',
  held: 'claimed',
  payable: 'payment due',
  compensating: 'compensating',
  confirmed: 'confirmed',
  cancelling: 'cancel requested',
  failed: 'failed',
  rejected: 'sold out',
  withdrawn: 'withdrawn',
  cancelled: 'cancelled',
};

function withHealth(orders: readonly Order[], now: number): AdminOrder[] {
  return orders.map((order) => {
    const { status, timeline, createdAt, payment } = order;
    const since = timeline.findLast(({ event }) => event === beginnings[status])?.at ?? createdAt;
    // A payable order waits for its buyer until its time is over.
    const dueSince = status === 'payable' ? (payment?.payBy ?? since) : since;
    const health = sagaStatuses.includes(status) ? healthOf(now - dueSince) : undefined;
    return { order, since, ...defined({ health }) };
  });
}

function healthOf(forMs: number): OrderHealth | undefined {
  if (forMs >= stuckAfterMs) return 'stuck';
  return forMs >= slowAfterMs ? 'slow' : undefined;
}

function oldestFirst(one: AdminOrder, other: AdminOrder): number {
  return one.since - other.since;
}
