import pLimit from 'p-limit';
import {
  type Order,
  type OrderStatus,
  parseOrderId,
  sagaStatuses,
  unfinishedStatuses,
} from '../domain/order.ts';
import type { Accepted, Refused } from '../engine/engine.ts';
import type { OperatedEngine } from '../engine/operated-engine.ts';
import type { Clock } from '../lib/clock.ts';
import type { Operator, OperatorAction } from '../storage/operator-log.ts';
import type { Store } from '../storage/store.ts';
import type { AdminOrder, OrdersFound, OrdersQuery, Outcome } from './admin-service.ts';
import { type ChangeLog, orUnavailable } from './change-log.ts';
import { keptFor } from './kept.ts';
import { withHealth } from './order-health.ts';

export interface OrderServiceOptions {
  readonly engine: OperatedEngine;
  readonly store: Store;
  readonly changes: ChangeLog;
  readonly clock: Clock;
}

const limitDefault = 50;
const limitMax = 200;
/** Of one package: those that came first are the ones that wait longest. */
const inHandMax = 500;
/** A page looks at so many orders at most, whatever it finds. */
const lookedAtMax = 2_000;
const keptMs = 2_000;
const readingsMax = 8;

/** Orders as operators see and change them. */
export class OrderService {
  readonly #options: OrderServiceOptions;
  /** Everybody who watches asks for the same. */
  readonly #concerns: () => Promise<readonly AdminOrder[]>;

  constructor(options: OrderServiceOptions) {
    this.#options = options;
    this.#concerns = keptFor(keptMs, options.clock, () => this.#concernsOf(undefined));
  }

  async find(query: OrdersQuery): Promise<OrdersFound> {
    const { stuck, packageId, status, cursor } = query;
    const limit = Math.min(query.limit ?? (stuck === true ? limitMax : limitDefault), limitMax);
    if (stuck === true) {
      const all = await (packageId === undefined ? this.#concerns() : this.#concernsOf(packageId));
      const wanted = all.filter(({ order }) => status === undefined || order.status === status);
      return { orders: wanted.slice(0, limit) };
    }
    if (status !== undefined && unfinishedStatuses.includes(status)) {
      const orders = await this.#unfinished(packageId, [status], limit);
      return { orders: orders.sort(oldestFirst).slice(0, limit) };
    }
    return this.#walk({ packageId, status, cursor, limit });
  }

  async ofEmail(email: string, cursor?: string, limit = limitDefault): Promise<OrdersFound> {
    const { store, clock } = this.#options;
    const { items, next } = await store.ordersByEmail(email, cursor, Math.min(limit, limitMax));
    const now = clock.now();
    const orders = items.map((order) => withHealth(order, now));
    return next === undefined ? { orders } : { orders, next };
  }

  async one(id: string): Promise<AdminOrder | undefined> {
    const order = await this.#stored(id);
    return order && withHealth(order, this.#options.clock.now());
  }

  retry(by: Operator, id: string): Promise<Outcome<Order>> {
    return this.#change(by, 'order.retry', id, (order) => this.#options.engine.retry(order));
  }

  cancel(by: Operator, id: string): Promise<Outcome<Order>> {
    return this.#change(by, 'order.cancel', id, (order) => this.#options.engine.cancel(order));
  }

  #change(
    by: Operator,
    action: OperatorAction,
    id: string,
    change: (order: Order) => Promise<Accepted | Refused>,
  ): Promise<Outcome<Order>> {
    return orUnavailable(async () => {
      const order = await this.#stored(id);
      // Only what has the form of an id is written down: who knows what else was typed.
      const orderId = parseOrderId(id);
      const target = {
        ...(orderId === undefined ? {} : { orderId }),
        ...(order === undefined ? {} : { packageId: order.packageId }),
      };
      const before = order && { status: order.status };
      return this.#options.changes.record<Order>(
        { by, action, target, before },
        async () => {
          if (order === undefined) return { kind: 'refused', code: 'unknown_order' };
          const answer = await change(order);
          return answer.kind === 'accepted' ? { kind: 'done', value: answer.order } : answer;
        },
        ({ status }) => ({ status }),
      );
    });
  }

  async #stored(id: string): Promise<Order | undefined> {
    const canonical = parseOrderId(id);
    return canonical === undefined ? undefined : this.#options.store.order(canonical);
  }

  /** The stuck first, then the slow, each oldest first. */
  async #concernsOf(packageId: number | undefined): Promise<AdminOrder[]> {
    const inHand = await this.#unfinished(packageId, sagaStatuses, inHandMax);
    const concerns = inHand.filter(({ health }) => health !== undefined);
    return concerns.sort(
      (one, other) =>
        Number(other.health === 'stuck') - Number(one.health === 'stuck') || oldestFirst(one, other),
    );
  }

  async #unfinished(
    packageId: number | undefined,
    statuses: readonly OrderStatus[],
    max: number,
  ): Promise<AdminOrder[]> {
    const { store, clock } = this.#options;
    const ids = packageId === undefined ? await store.packagesWithUnfinished() : [packageId];
    const turns = pLimit(readingsMax);
    const presents = await Promise.all(
      ids.map((id) => turns(() => store.versionedPackage(id, { statuses, max }))),
    );
    const now = clock.now();
    return presents.flatMap((present) => (present?.orders ?? []).map((order) => withHealth(order, now)));
  }

  /** Package after package, newest first. The cursor is the package and the number that were looked at last. */
  async #walk(wish: {
    readonly packageId: number | undefined;
    readonly status: OrderStatus | undefined;
    readonly cursor: string | undefined;
    readonly limit: number;
  }): Promise<OrdersFound> {
    const { store, clock } = this.#options;
    const from = /^(?<id>\d{1,15})-(?<below>\d{1,15})$/.exec(wish.cursor ?? '')?.groups;
    const ids = wish.packageId === undefined ? await this.#packageIds() : [wish.packageId];
    const left = ids.filter((id) => id >= Number(from?.id ?? 0));
    const orders: AdminOrder[] = [];
    const now = clock.now();
    let lookedAt = 0;
    let below = left[0] === Number(from?.id) ? Number(from?.below) : undefined;
    for (const id of left) {
      for (;;) {
        const page = await store.ordersBelow(id, below, limitMax);
        for (const order of page) {
          lookedAt += 1;
          below = order.number;
          if (wish.status === undefined || order.status === wish.status) orders.push(withHealth(order, now));
          if (orders.length >= wish.limit || lookedAt >= lookedAtMax) {
            return { orders, next: `${id}-${below}` };
          }
        }
        if (page.length < limitMax) break;
      }
      below = undefined;
    }
    return { orders };
  }

  async #packageIds(): Promise<number[]> {
    const packages = await this.#options.engine.packages();
    return packages.map((one) => one.package.id);
  }
}

function oldestFirst(one: AdminOrder, other: AdminOrder): number {
  return one.since - other.since;
}
