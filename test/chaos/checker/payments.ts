import type { EventEntry, PayEntry } from '../history.ts';
import { placeOf } from './answers.ts';
import { type FinalState, type Payment, type StoredOrder, timeOf } from './final-state.ts';
import type { FindingsCollector } from './findings.ts';
import { clockToleranceMs } from './numbers.ts';
import { nameOf, type Orders } from './orders.ts';

/** What buyers did at the page of a payment. */
interface Acts {
  hasAskedToPay: boolean;
  /** When a request to pay was first answered. By then it was paid, unless it was declined or cancelled before. */
  paidBy?: number;
  /** When the first request to decline was sent. Before then it was not declined. */
  declinedFrom?: number;
}

/** The default of the server's setting `CURRENCY`, and its minor units in one unit of the price. */
const currency = 'USD';
const minorPerUnit = 100;

/**
 * Rule Q11, against the payment provider's ledger. Each confirmed order of a package with a price is paid once, with this
 * price, and not refunded. No other order is paid or can still be paid. Whoever paid in time gets the trip, and nothing but
 * the ledger decides: not an event, and least of all a forged one.
 */
export class Payments {
  readonly #state: FinalState;
  readonly #orders: Orders;
  readonly #collector: FindingsCollector;
  readonly #acts = new Map<string, Acts>();

  constructor(state: FinalState, orders: Orders, collector: FindingsCollector) {
    this.#state = state;
    this.#orders = orders;
    this.#collector = collector;
  }

  see(entry: PayEntry | EventEntry): void {
    if (entry.kind === 'event') this.#event(entry);
    else this.#act(entry);
  }

  /** Call it after the whole history. */
  finish(): void {
    const { payments, packages } = this.#state;
    if (payments === undefined) return;
    const prices = new Map(packages.map(({ id, price }) => [id, price]));
    const byKey = new Map<string, Payment>();
    for (const payment of payments) {
      this.#collector.count(`payments ${payment.status}`);
      if (byKey.has(payment.key))
        this.#collector.violation('Q11', `payment ${payment.key} is in the ledger twice`);
      byKey.set(payment.key, payment);
      this.#checkPayment(payment);
    }
    for (const { order } of this.#orders.all())
      this.#checkOrder(order, (prices.get(order.packageId) ?? 0) * minorPerUnit, byKey.get(order.id));
  }

  #event(event: EventEntry): void {
    const { treatment, status, code } = event;
    this.#collector.count(`events ${treatment}`);
    const isRefused = code === 'invalid_signature';
    if (treatment === 'forged' && status === 204)
      this.#collector.violation('Q11', `a forged event was accepted: ${placeOf(event)}`);
    if (treatment !== 'forged' && isRefused)
      this.#collector.violation('API', `an event of the provider was refused: ${placeOf(event)}`);
  }

  #act({ kind, orderId, status, sentAt, endedAt }: PayEntry): void {
    const acts: Acts = this.#acts.get(orderId) ?? { hasAskedToPay: false };
    this.#acts.set(orderId, acts);
    if (kind === 'decline') acts.declinedFrom = Math.min(acts.declinedFrom ?? sentAt, sentAt);
    else acts.hasAskedToPay = true;
    if (kind === 'pay' && status === 303) acts.paidBy = Math.min(acts.paidBy ?? endedAt, endedAt);
  }

  /** No payment without an order that wants it. */
  #checkPayment({ key, status }: Payment): void {
    const order = this.#orders.get(key)?.order;
    const whose = order === undefined ? `order ${key}, which is not stored` : nameOf(order);
    if (order === undefined || timeOf(order, 'claimed') === undefined)
      this.#violation(`a payment was asked for ${whose}, and it never had a unit`);
    if (status === 'due') this.#violation(`${whose} is ${order?.status ?? 'unknown'}, and can still be paid`);
    if (status === 'paid' && order?.status !== 'confirmed')
      this.#violation(`${whose} is ${order?.status ?? 'unknown'}, and its payment is not refunded`);
  }

  /** No order without the payment that it needs. @param amount what it costs, in minor units */
  #checkOrder(order: StoredOrder, amount: number, payment: Payment | undefined): void {
    const name = `${nameOf(order)} is ${order.status}`;
    if (amount === 0) {
      if (payment !== undefined) this.#violation(`${name} and free, and there is a payment`);
      return;
    }
    if (order.status === 'confirmed') {
      if (payment?.status !== 'paid')
        this.#violation(`${name}, and its payment is ${payment?.status ?? 'missing'}`);
      else if (payment.amount !== amount || payment.currency !== currency)
        this.#violation(
          `${name} and costs ${amount} ${currency}, and ${payment.amount} ${payment.currency} is paid`,
        );
    }
    this.#checkTimeline(order, name);
    this.#checkActs(order, name);
  }

  /** The outcome of the order is that of what its buyer did. */
  #checkActs(order: StoredOrder, name: string): void {
    const { reason, payBy } = order;
    const { hasAskedToPay = false, paidBy, declinedFrom } = this.#acts.get(order.id) ?? {};
    if (timeOf(order, 'confirmed') !== undefined && !hasAskedToPay)
      this.#violation(`${name}, and nobody has paid for it`);
    if (reason === 'payment_declined' && declinedFrom === undefined)
      this.#violation(`${name} as declined, and nobody has declined`);
    if (paidBy === undefined || payBy === undefined) return;
    if (paidBy > payBy) this.#collector.count('payments made too late');
    const mayBeDeclined = declinedFrom !== undefined && declinedFrom < paidBy;
    if (mayBeDeclined || paidBy + clockToleranceMs >= payBy) return;
    this.#collector.count('payments made in time');
    if (reason === 'payment_expired' || reason === 'payment_declined')
      this.#violation(`${name} for ${reason}, and was paid by ${paidBy}, in time until ${payBy}`);
  }

  /** An order is confirmed after it was payable and paid, and expires after its time. */
  #checkTimeline(order: StoredOrder, name: string): void {
    const confirmedAt = timeOf(order, 'confirmed');
    const dueAt = timeOf(order, 'payment due');
    const paidAt = timeOf(order, 'paid');
    const expiredAt = timeOf(order, 'payment expired');
    const isPaid = dueAt !== undefined && paidAt !== undefined;
    if (confirmedAt !== undefined && !isPaid)
      this.#violation(`${name}, and was confirmed without being paid: ${eventsOf(order)}`);
    if (expiredAt !== undefined && order.payBy !== undefined && expiredAt + clockToleranceMs < order.payBy)
      this.#violation(`${name}, and expired at ${expiredAt}, before ${order.payBy}`);
  }

  #violation(words: string): void {
    this.#collector.violation('Q11', words);
  }
}

function eventsOf({ timeline }: StoredOrder): string {
  return timeline.map(({ event }) => event).join(', ');
}
