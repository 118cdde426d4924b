import type { Order, OrderStatus } from '../../src/domain/order.ts';
import type { PaymentSale } from './payment-sale.ts';
import type { PaymentCore, SimPayment } from './sim-payments.ts';
import type { AppliedCommit, StoreCore } from './sim-store.ts';
import { epochMs, type World } from './world.ts';

/** The statuses of orders whose payment may be due or paid: nobody has confirmed its cancellation. */
const live: readonly OrderStatus[] = ['held', 'payable', 'compensating', 'confirmed', 'cancelling'];
const ended: readonly OrderStatus[] = ['failed', 'rejected', 'withdrawn', 'cancelled'];
/** The price of a package in units, as minor units of the currency. */
const minorPerUnit = 100;

function inWords(payment: SimPayment | undefined): string {
  if (payment === undefined) return 'absent';
  const { status, amount, currency } = payment;
  return `${status}, ${amount} ${currency}`;
}

/** Holds every commit against the provider's ledger (Q11). Written without the product's own audit. */
export class PaymentChecks {
  readonly core: PaymentCore;
  readonly #world: World;
  readonly #store: StoreCore;
  readonly #sale: PaymentSale;
  readonly #last = new Map<string, OrderStatus>();

  constructor(world: World, store: StoreCore, core: PaymentCore, sale: PaymentSale) {
    this.#world = world;
    this.#store = store;
    this.core = core;
    this.#sale = sale;
    core.onLive = (payment) => this.#checkLive(payment);
  }

  onCommit({ change }: AppliedCommit): void {
    for (const order of change.inserted) this.#checkPrice(order);
    for (const order of [...change.inserted, ...change.updated]) {
      const { id, status } = order;
      if (status === 'payable') this.#checkPayable(order);
      if (this.#last.get(id) === 'payable' && status === 'compensating') this.#checkUnpaid(order);
      this.#checkMoney(order);
      this.#last.set(id, status);
    }
  }

  /** Checks at the end that no payment is due or paid without tickets, and no order is confirmed without its payment. */
  checkSettled(): void {
    for (const payment of this.core.ledger.values()) this.#checkLive(payment);
    for (const order of this.#store.orders.values()) {
      if (this.#store.isOwnable(order.packageId)) this.#checkMoney(order);
    }
  }

  #require(holds: boolean, words: () => string): void {
    this.#world.require(holds, 'Q11', words);
  }

  /** A new order has to be paid exactly if it costs something. */
  #checkPrice({ id, package: { price }, payment }: Order): void {
    const isPriced =
      price === 0
        ? payment === undefined
        : payment?.amount === price * minorPerUnit && payment.currency === this.#sale.rules.currency;
    this.#require(isPriced, () => `order ${id} of price ${price} costs ${JSON.stringify(payment)}`);
  }

  /** The buyer of a payable order knows where to pay, and until when. */
  #checkPayable({ id, payment }: Order): void {
    const isTrue = payment?.url !== undefined && payment.url === this.core.ledger.get(id)?.url;
    this.#require(
      isTrue && payment.payBy !== undefined,
      () => `order ${id} is payable at ${payment?.url} until ${payment?.payBy}`,
    );
  }

  /** The provider's ledger confirms why an order was not paid. */
  #checkUnpaid(order: Order): void {
    const { id, reason } = order;
    const status = this.core.ledger.get(id)?.status;
    const isSo =
      reason === 'payment_declined'
        ? status === 'declined'
        : reason === 'payment_expired'
          ? this.#hasExpired(order)
          : reason === 'payment_abandoned';
    this.#require(isSo, () => `order ${id} is given up for ${reason}, and its payment is ${status}`);
  }

  /**
   * Whether the time was over, and the order was not paid by then. Clocks that jump decide what time it is, so only seeds
   * without them can tell.
   */
  #hasExpired({ id, payment }: Order): boolean {
    if (this.#world.drawn.clockJump > 0) return true;
    const found = this.core.ledger.get(id);
    const payBy = (payment?.payBy ?? Number.POSITIVE_INFINITY) - epochMs;
    const isPaidInTime = this.#isPaid(found, payment) && (found?.paidAt ?? 0) < payBy - 1;
    return this.#world.scheduler.now >= payBy - 1 && !isPaidInTime;
  }

  /** Q11: a confirmed order is paid, and the payment of an ended one is void. */
  #checkMoney({ id, status, payment }: Order): void {
    const found = this.core.ledger.get(id);
    if (status === 'confirmed' && payment !== undefined) {
      this.#require(
        this.#isPaid(found, payment),
        () => `order ${id} is confirmed, and its payment is ${inWords(found)}`,
      );
    }
    if (ended.includes(status)) {
      const isVoid = found?.status !== 'due' && found?.status !== 'paid';
      this.#require(isVoid, () => `order ${id} is ${status}, and its payment is ${found?.status}`);
    }
  }

  #isPaid(found: SimPayment | undefined, asked: Order['payment']): boolean {
    return found?.status === 'paid' && found.amount === asked?.amount && found.currency === asked.currency;
  }

  /** Money that can be taken, or was, belongs to an order that has tickets, will have them, or gives the money back. */
  #checkLive({ key, status }: SimPayment): void {
    if (status !== 'due' && status !== 'paid') return;
    const order = this.#store.orders.get(key);
    const isWanted = order !== undefined && live.includes(order.status);
    this.#require(
      isWanted,
      () => `the payment of ${key} is ${status}, and its order ${order?.status ?? 'lost'}`,
    );
  }
}
