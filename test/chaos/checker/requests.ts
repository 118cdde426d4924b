import type { CancelEntry, InventoryEntry, LookUpEntry, PurchaseEntry, RetryEntry } from '../history.ts';
import { isDocumented, isRefused, mismatchOf, placeOf, type Request } from './answers.ts';
import { Erasures, emailUsed, isErased } from './erasures.ts';
import { decidedAt, type FinalState } from './final-state.ts';
import type { FindingsCollector } from './findings.ts';
import { KeylessPurchases } from './keyless-purchases.ts';
import { leadsTo } from './life-cycle.ts';
import { clockToleranceMs } from './numbers.ts';
import { isSameEmail, nameOf, type Orders, type OrderTrace, recordSighting } from './orders.ts';
import type { Refusals } from './refusals.ts';

/**
 * Compares each request of the history with the final state (rules Q6, Q7, Q10). Facts that can be checked only after
 * all requests are recorded in the traces of the orders. The requests may come in any order.
 */
export class Requests {
  readonly #orders: Orders;
  readonly #refusals: Refusals;
  readonly #collector: FindingsCollector;
  readonly #keyless: KeylessPurchases;
  readonly #packageIds: ReadonlySet<number>;
  readonly #erasures: Erasures;
  /** Requests for orders whose email was erased. They can be judged when the former email is known. */
  readonly #deferred = new Map<OrderTrace, Request[]>();

  constructor({ packages }: FinalState, orders: Orders, refusals: Refusals, collector: FindingsCollector) {
    this.#packageIds = new Set(packages.map(({ id }) => id));
    this.#orders = orders;
    this.#refusals = refusals;
    this.#collector = collector;
    this.#keyless = new KeylessPurchases(orders);
    this.#erasures = new Erasures(orders, collector);
  }

  see(request: Request): void {
    if (!isDocumented(request)) this.#collector.violation('API', `undocumented answer: ${placeOf(request)}`);
    const mismatch = mismatchOf(request);
    if (mismatch !== undefined) this.#collector.violation('API', `${placeOf(request)} ${mismatch}`);
    if (
      request.code === 'unknown_package' &&
      'packageId' in request &&
      this.#packageIds.has(request.packageId)
    )
      this.#collector.violation('API', `package ${request.packageId} is stored: ${placeOf(request)}`);
    const erased = this.#erasedOrder(request);
    if (erased === undefined) return this.#judge(request);
    const deferred = this.#deferred.get(erased);
    if (deferred === undefined) this.#deferred.set(erased, [request]);
    else deferred.push(request);
  }

  /** The order that a request is about, if its email was erased. */
  #erasedOrder(request: Request): OrderTrace | undefined {
    const id = 'orderId' in request ? request.orderId : request.order?.id;
    const byKey =
      request.kind === 'purchase' && request.key !== undefined
        ? this.#orders.underKey(request.packageId, request.key)
        : undefined;
    const trace = byKey ?? (id === undefined ? undefined : this.#orders.get(id));
    return trace !== undefined && isErased(trace) ? trace : undefined;
  }

  #judge(request: Request): void {
    switch (request.kind) {
      case 'purchase':
        return this.#purchase(request);
      case 'look-up':
        return this.#lookUp(request);
      case 'cancel':
        return this.#cancel(request);
      case 'figures':
        return this.#figures(request);
      case 'retry':
        return this.#retry(request);
      case 'erase':
        return this.#erasures.see(request);
    }
  }

  /** Call it after the whole history. */
  finish(): void {
    for (const trace of this.#orders.all()) {
      if (!isErased(trace)) continue;
      const requests = this.#deferred.get(trace) ?? [];
      this.#erasures.identify(
        trace,
        requests.flatMap((request) => emailUsed(request) ?? []),
      );
      for (const request of requests) this.#judge(request);
    }
    this.#erasures.finish();
    this.#keyless.check(this.#collector);
  }

  #purchase(purchase: PurchaseEntry): void {
    const { packageId, email, key, code, status } = purchase;
    if (key === undefined) this.#keyless.see(purchase);
    else this.#underKey(purchase, key);
    if (code === 'sold_out' && purchase.order === undefined) this.#refusals.soldOut(purchase);
    if (code === 'queue_full') this.#refusals.queueFull(purchase);
    const trace = this.#seen(purchase);
    if (trace === undefined) return;
    const { order } = trace;
    if (status === 201 || status === 202) trace.isAccepted = true;
    if (order.packageId !== packageId || !isSameEmail(trace.email, email))
      this.#collector.violation('Q6', `${nameOf(order)} is not what was bought: ${placeOf(purchase)}`);
    if (order.key !== key)
      this.#collector.violation('Q7', `${nameOf(order)} has another key than its ${placeOf(purchase)}`);
    if (key !== undefined) return;
    trace.askedAt = Math.min(trace.askedAt, purchase.sentAt);
    trace.keylessAnswers += 1;
    // Two purchases without a key must not get the same order, because the second buyer would have paid for another
    // buyer's trip.
    if (trace.keylessAnswers > 1)
      this.#collector.violation(
        'Q6',
        `${nameOf(order)} was the answer to two purchases: ${placeOf(purchase)}`,
      );
  }

  /** Rule Q7: answers to a key contain only the order of that key, and only for its buyer. */
  #underKey(purchase: PurchaseEntry, key: string): void {
    const { packageId, email, code, order, sentAt } = purchase;
    const trace = this.#orders.underKey(packageId, key);
    if (trace === undefined) {
      if (code === 'key_reused')
        this.#collector.violation('Q7', `nothing is stored under the key of ${placeOf(purchase)}`);
      return;
    }
    if (!isSameEmail(trace.email, email)) {
      if (order !== undefined)
        this.#collector.violation(
          'Q7',
          `an order was shown to another email under its key: ${placeOf(purchase)}`,
        );
      return;
    }
    if (code === 'key_reused' && isAfterErasure(trace, purchase)) return;
    if (code === 'key_reused')
      this.#collector.violation('Q7', `${nameOf(trace.order)} is this very purchase: ${placeOf(purchase)}`);
    if (order !== undefined && order.id !== trace.order.id)
      this.#collector.violation(
        'Q7',
        `${order.id} and ${nameOf(trace.order)} under one key: ${placeOf(purchase)}`,
      );
    trace.asked += 1;
    trace.askedAt = Math.min(trace.askedAt, sentAt);
    if (isRefused(purchase)) trace.refusedAt = Math.max(trace.refusedAt, sentAt);
    else trace.askedInDoubt += 1;
  }

  #lookUp(lookUp: LookUpEntry): void {
    if (this.#isStrangers(lookUp)) return;
    this.#seen(lookUp);
    this.#missed(lookUp);
    if (lookUp.order !== undefined && lookUp.order.id !== lookUp.orderId)
      this.#collector.violation(
        'Q10',
        `${lookUp.order.id} was shown for ${lookUp.orderId}: ${placeOf(lookUp)}`,
      );
  }

  #cancel(cancel: CancelEntry): void {
    if (this.#isStrangers(cancel)) return;
    this.#seen(cancel);
    this.#missed(cancel);
    const trace = this.#orders.get(cancel.orderId);
    if (trace === undefined) return;
    trace.isCancelAsked = true;
    if (cancel.code === 'in_progress') trace.inProgressAt = Math.max(trace.inProgressAt, cancel.sentAt);
    if (cancel.status === 200 || cancel.status === 202) trace.isCancelled = true;
  }

  #retry(retry: RetryEntry): void {
    const trace = this.#seen(retry);
    this.#missed(retry);
    if (trace !== undefined) this.#collector.count('orders in answers to retries');
  }

  /** Rule Q10: a request without the order's email must be answered 404. */
  #isStrangers(request: LookUpEntry | CancelEntry): boolean {
    const { orderId, email, status } = request;
    const trace = this.#orders.get(orderId);
    if (trace === undefined || isSameEmail(trace.email, email)) return false;
    const { order } = trace;
    this.#collector.count('requests with another email');
    const isTold =
      request.order !== undefined || (status !== undefined && status < 500 && ![404, 429].includes(status));
    if (isTold)
      this.#collector.violation('Q10', `${nameOf(order)} was shown to another email: ${placeOf(request)}`);
    return true;
  }

  #missed(request: LookUpEntry | CancelEntry | RetryEntry): void {
    const { orderId, status, sentAt, kind } = request;
    const trace = status === 404 ? this.#orders.get(orderId) : undefined;
    if (trace === undefined || (kind !== 'retry' && isAfterErasure(trace, request))) return;
    trace.missedAt = Math.max(trace.missedAt, sentAt);
  }

  /** Checks rules Q6 and Q8 for the order in an answer. */
  #seen(request: Request): OrderTrace | undefined {
    const { order: shown, sentAt, endedAt } = request;
    if (shown === undefined) return undefined;
    const trace = this.#orders.get(shown.id);
    if (trace === undefined) {
      this.#collector.violation('Q6', `order ${shown.id} is not stored: ${placeOf(request)}`);
      return undefined;
    }
    const { order, email, erasure } = trace;
    const isOperator = request.kind === 'retry';
    if (erasure !== undefined && !isOperator && sentAt > erasure.goneAt)
      this.#collector.violation(
        'erase',
        `${nameOf(order)} was shown to the email that was erased at ${erasure.goneAt}: ${placeOf(request)}`,
      );
    const isItsEmail = isSameEmail(shown.email, email) || (isOperator && shown.email === order.email);
    if (shown.packageId !== order.packageId || !isItsEmail)
      this.#collector.violation(
        'Q6',
        `${nameOf(order)} was shown with another package or email: ${placeOf(request)}`,
      );
    if (!leadsTo(shown.status, order.status))
      this.#collector.violation(
        'Q6',
        `${nameOf(order)} is ${order.status}, and was ${shown.status}: ${placeOf(request)}`,
      );
    const isOther = (seen?: string, stored?: string) => seen !== undefined && seen !== stored;
    if (
      isOther(shown.ticketNumber, order.ticketNumber) ||
      isOther(shown.reservationNumber, order.reservationNumber)
    )
      this.#collector.violation('Q8', `${nameOf(order)} was shown with other tickets: ${placeOf(request)}`);
    const hasTickets = shown.ticketNumber !== undefined && shown.reservationNumber !== undefined;
    if (shown.status === 'confirmed' && !hasTickets)
      this.#collector.violation(
        'Q8',
        `${nameOf(order)} was shown confirmed without its tickets: ${placeOf(request)}`,
      );
    if (shown.status === 'payable' && !hasTickets)
      this.#collector.violation(
        'Q11',
        `${nameOf(order)} was to be paid without its tickets: ${placeOf(request)}`,
      );
    if (shown.payBy !== undefined && shown.payBy !== order.payBy)
      this.#collector.violation(
        'Q11',
        `${nameOf(order)} was to be paid by ${shown.payBy}, not ${order.payBy}: ${placeOf(request)}`,
      );
    const decided = decidedAt(order, shown.status);
    if (decided !== undefined && endedAt + clockToleranceMs < decided)
      this.#collector.violation(
        'Q6',
        `${nameOf(order)} was shown ${shown.status}, which was decided at ${decided}: ${placeOf(request)}`,
      );
    recordSighting(trace, shown.status, sentAt, endedAt);
    return trace;
  }

  /** Checks rules Q1 and Q3 for the inventory in an answer. */
  #figures(request: InventoryEntry): void {
    if (request.figures === undefined) return;
    const { quota, remaining, held, confirmed, waiting } = request.figures;
    const words = `quota ${quota}, remaining ${remaining}, held ${held}, confirmed ${confirmed}, waiting ${waiting}`;
    const place = `package ${request.packageId} showed ${words}: ${placeOf(request)}`;
    if (quota !== remaining + held + confirmed || Math.min(remaining, held, confirmed, waiting) < 0)
      this.#collector.violation('Q1', place);
    if (confirmed > quota) this.#collector.violation('Q3', place);
    this.#refusals.figures(request, place);
  }
}

/** Whether the order's email may have been gone when the request was answered. */
function isAfterErasure({ erasure }: OrderTrace, { endedAt }: Request): boolean {
  return erasure !== undefined && endedAt >= erasure.askedAt;
}
