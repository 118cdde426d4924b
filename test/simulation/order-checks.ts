import type { Order } from '../../src/domain/order.ts';
import type { Offer } from '../../src/domain/travel-package.ts';
import type { Sale } from './sale.ts';
import type { PaymentCore } from './sim-payments.ts';
import type { AppliedCommit } from './sim-store.ts';
import type { SupplierCore } from './sim-suppliers.ts';
import type { World } from './world.ts';

/**
 * The statuses that may follow each status. Written without the product's own table, because that table may be wrong.
 */
const next: Readonly<Record<string, readonly string[]>> = {
  queued: ['held', 'withdrawn', 'rejected'],
  held: ['confirmed', 'payable', 'compensating', 'failed'],
  payable: ['confirmed', 'compensating'],
  compensating: ['failed'],
  confirmed: ['cancelling'],
  cancelling: ['cancelled'],
};

function canReach(from: string, to: string): boolean {
  return from === to || (next[from] ?? []).some((status) => canReach(status, to));
}

/** Whether the fields that never change are equal. */
function isSame(one: Order, other: Order): boolean {
  const fixed = ({ email, key, language, number, packageId, createdAt, package: offer, payment }: Order) => {
    const paid = [payment?.amount, payment?.currency];
    return JSON.stringify([email, key, language, number, packageId, createdAt, offer, ...paid]);
  };
  return fixed(one) === fixed(other);
}

const live: readonly string[] = ['queued', 'held', 'payable', 'compensating', 'confirmed', 'cancelling'];

type OrderLimits = Pick<Sale, 'ordersPerEmail' | 'waitersMax'>;

/** Checks each changed order against its earlier state. */
export class OrderChecks {
  readonly #world: World;
  readonly #suppliers: SupplierCore;
  readonly #payments: PaymentCore | undefined;
  readonly #limits: OrderLimits;
  readonly #last = new Map<string, Order>();

  /** @param payments undefined if payments are off. */
  constructor(world: World, suppliers: SupplierCore, payments: PaymentCore | undefined, limits: OrderLimits) {
    this.#world = world;
    this.#suppliers = suppliers;
    this.#payments = payments;
    this.#limits = limits;
  }

  onCommit({ before, row, change }: AppliedCommit, orders: readonly Order[]): void {
    const isPaused = row.package.paused === true && before.package === row.package;
    for (const order of change.inserted) this.#checkOffer(order, [before.package, row.package]);
    for (const order of change.erased ?? []) this.#checkErasure(order);
    for (const order of [...change.inserted, ...change.updated]) {
      this.#checkTransition(order);
      this.#checkReason(order);
      const claims = order.status === 'held' && this.#last.get(order.id)?.status !== 'held';
      this.#require(!(claims && isPaused), 'pause', () => `order ${order.id} got a unit of a paused sale`);
      this.#last.set(order.id, order);
    }
    for (const { email } of change.inserted) this.#checkLimit(email, orders);
    const { id } = row.package;
    const { waiting } = row.inventory;
    this.#require(
      waiting <= this.#limits.waitersMax,
      'limit',
      () => `${waiting} orders wait for package ${id}`,
    );
  }

  #require(holds: boolean, rule: string, words: () => string): void {
    this.#world.require(holds, rule, words);
  }

  /** A new order has the flight, stay and price of its package. */
  #checkOffer({ id, package: bought }: Order, offers: readonly Offer[]): void {
    const isOffer = offers.some(
      ({ flight, stay, price }) => bought.flight === flight && bought.stay === stay && bought.price === price,
    );
    this.#require(isOffer, 'Q6', () => `order ${id} is of another offer: ${JSON.stringify(bought)}`);
  }

  /** The fixed fields never change, the status follows the life cycle, and the timeline only grows. */
  #checkTransition(order: Order): void {
    const before = this.#last.get(order.id);
    if (before === undefined) return;
    this.#require(isSame(before, order), 'Q6', () => `order ${order.id} has become another`);
    this.#require(
      canReach(before.status, order.status),
      'Q6',
      () => `order ${order.id} was ${before.status} and is ${order.status}`,
    );
    const isLonger = before.timeline.every(
      ({ at, event }, index) => order.timeline[index]?.at === at && order.timeline[index]?.event === event,
    );
    this.#require(isLonger, 'Q6', () => `order ${order.id} has lost some of its timeline`);
    const { url, payBy } = before.payment ?? {};
    const isKept = payBy === undefined || (order.payment?.payBy === payBy && order.payment.url === url);
    this.#require(isKept, 'Q11', () => `order ${order.id} has got another payment`);
  }

  /** An erasure replaces the email and the key of a finished order, and changes nothing else. */
  #checkErasure(order: Order): void {
    const { id, email, key, status } = order;
    const before = this.#last.get(id) as Order;
    const gone = { email, ...(key === undefined ? {} : { key }) };
    const isErased = email !== before.email && isSame({ ...before, ...gone }, order);
    this.#require(isErased, 'erasure', () => `order ${id} lost more than its email, or not even that`);
    const ended = !['queued', 'held', 'payable', 'compensating', 'cancelling'].includes(status);
    this.#require(ended, 'Q6', () => `order ${id} lost its email while it was ${status}`);
    this.#last.set(id, order);
  }

  /** An order with a unit fails only because of a refusal or silence of a supplier, or because it is not paid. */
  #checkReason({ id, status, reason }: Order): void {
    if (status !== 'compensating' && status !== 'failed') return;
    const suppliers = this.#suppliers;
    const isSo =
      reason === 'supplier_silent'
        ? suppliers.silent.has(id)
        : reason === 'flight_unavailable'
          ? suppliers.wasRefused('flights', id)
          : reason === 'hotel_unavailable'
            ? suppliers.wasRefused('hotels', id)
            : reason === 'payment_refused'
              ? this.#payments?.refused.has(id) === true
              : true;
    this.#require(isSo, 'Q6', () => `order ${id} is ${status} for ${reason}, which is not so`);
  }

  #checkLimit(email: string, orders: readonly Order[]): void {
    const { ordersPerEmail } = this.#limits;
    if (ordersPerEmail === 0) return;
    const count = orders.filter((order) => order.email === email && live.includes(order.status)).length;
    this.#require(count <= ordersPerEmail, 'limit', () => `${email} has ${count} live orders`);
  }
}
