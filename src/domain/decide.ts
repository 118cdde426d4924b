import type { ErrorCode } from './errors.ts';
import {
  type Cancel,
  type Change,
  type Effect,
  type Erase,
  expectedStatuses,
  type PackageMessage,
  type Purchase,
  type Retry,
  type SagaMessage,
  type Withdraw,
} from './messages.ts';
import type { NoticeChannel } from './notices.ts';
import { eraseEmail, updatePackage } from './operator-changes.ts';
import * as to from './order.ts';
import { isSettled, type Order, type OrderStatus } from './order.ts';
import { Draft, type PackageState } from './package-state.ts';
import { cancelAnswer, keyAnswer, saleObstacle } from './refusals.ts';
import { isSoldOut, type QueueLimits } from './travel-package.ts';

/** How orders are paid. */
export interface PaymentRules {
  /** The name of the payment provider, which is stored with each order that gets a unit. */
  readonly provider: string;
  /** An ISO 4217 code. */
  readonly currency: string;
  /** How many minor units are one unit of the price: 100 for EUR, 1 for JPY. */
  readonly minorPerUnit: number;
  /** How long a payment is due, in ms. Then the unit goes to the next order in the queue. */
  readonly windowMs: number;
}

/** Rules of the decisions about a package. */
export interface PackageRules extends QueueLimits {
  /** Orders have to be paid, unless their price is 0. Absent: no new order has to be paid. */
  readonly payments?: PaymentRules | undefined;
  /** The most orders, with a unit or in the queue, that one email may have per package; 0 means no limit. */
  readonly ordersPerEmail: number;
  /** The most queued orders that one commit rejects after a sell-out. */
  readonly rejectionsMax: number;
  /** The most units that one decision claims; absent means no limit. */
  readonly claimsMax?: number;
  /** The channels that are told of the events of orders; absent if nobody is. */
  readonly noticeChannels?: readonly NoticeChannel[];
}

/** The default of `rejectionsMax`. A transaction of this size takes less than 100 ms. */
export const defaultRejectionsMax = 500;

/** Stored orders that the messages of a batch refer to by key, id or email. */
export interface Lookups {
  readonly byKey: ReadonlyMap<string, Order>;
  readonly byId: ReadonlyMap<string, Order>;
  readonly liveByEmail: ReadonlyMap<string, number>;
}

/** The result of deciding a batch. `change` is committed first, then applied to the state, then the effects run. */
export interface Step {
  /** Undefined when there is nothing to store. */
  readonly change: Change | undefined;
  readonly suppliersAvailable: boolean;
  readonly effects: readonly Effect[];
}

/** The time of a decision, on two clocks, in ms. */
export interface Moment {
  /** Unix time, which is stored, and by which a sale opens and closes. */
  readonly now: number;
  /** The clock of the messages' deadlines, which never jumps. */
  readonly monotonic: number;
}

/**
 * Decides a batch of messages of one package, for every engine. Returns the change to commit and the effects to run
 * once the change is applied. Pure: the same input gives the same step, and the state is not modified.
 */
export function decide(
  state: PackageState,
  messages: readonly PackageMessage[],
  lookups: Lookups,
  moment: Moment,
  rules: PackageRules,
): Step {
  const batch = new Decision(state, lookups, moment, rules);
  for (const message of messages) batch.take(message);
  return batch.finish();
}

class Decision {
  readonly #draft: Draft;
  readonly #lookups: Lookups;
  readonly #now: number;
  readonly #monotonic: number;
  readonly #rules: PackageRules;
  #suppliersAvailable: boolean;
  /** The number of units that this batch has claimed. */
  #claims = 0;
  /** Purchases that found the package sold out. They are decided at the end of the batch. */
  readonly #soldOut: Purchase[] = [];

  constructor(state: PackageState, lookups: Lookups, { now, monotonic }: Moment, rules: PackageRules) {
    this.#draft = new Draft(state);
    this.#lookups = lookups;
    this.#now = now;
    this.#monotonic = monotonic;
    this.#rules = rules;
    this.#suppliersAvailable = state.suppliersAvailable;
  }

  take(message: PackageMessage): void {
    switch (message.kind) {
      case 'purchase':
        return this.#purchase(message);
      case 'cancel':
        return this.#cancel(message);
      case 'withdraw':
        return this.#withdraw(message);
      case 'suppliers':
        this.#suppliersAvailable = message.available;
        return this.#serveQueue();
      case 'update':
        updatePackage(this.#draft, message, this.#now);
        return this.#serveQueue();
      case 'retry':
        return this.#retry(message);
      case 'erase':
        return this.#erase(message);
      case 'tick':
        return this.#serveQueue();
      default:
        return this.#saga(message);
    }
  }

  finish(): Step {
    this.#refuseSoldOut();
    this.#refuseQueue();
    const change = this.#draft.change();
    return { change, suppliersAvailable: this.#suppliersAvailable, effects: this.#draft.settledEffects() };
  }

  #purchase(purchase: Purchase): void {
    const { caller, email, key, orderId } = purchase;
    const before = this.#stored(orderId) ?? (key === undefined ? undefined : this.#storedUnder(key));
    const repeated = keyAnswer(before, email);
    if (repeated !== undefined) return this.#draft.answer(caller, repeated);
    const obstacle = this.#obstacle(purchase);
    if (obstacle === 'sold_out') {
      this.#soldOut.push(purchase);
      return;
    }
    if (obstacle !== undefined) return this.#refuse(caller, obstacle);
    this.#draft.answer(caller, { kind: 'accepted', order: this.#store(purchase) });
  }

  #store({ orderId, email, key, language }: Purchase): Order {
    const draft = this.#draft;
    const { id: packageId, flight, stay, price } = draft.package;
    const { payments } = this.#rules;
    const order = {
      id: orderId,
      packageId,
      number: draft.inventory.nextNumber,
      package: { flight, stay, price },
      email,
      ...(payments === undefined || price === 0 ? {} : { payment: paymentOf(price, payments) }),
      ...(key === undefined ? {} : { key }),
      ...(language === undefined ? {} : { language }),
      createdAt: this.#now,
    };
    const isClaimed = this.#mayClaim() && draft.inventory.waiting === 0;
    const stored = isClaimed
      ? to.claimAtOnce(order, this.#now, payments?.provider)
      : to.queue(order, this.#now);
    draft.insert(stored);
    if (isClaimed) this.#hold(stored);
    else draft.move({ waiting: 1 });
    return stored;
  }

  /** The reason to refuse this purchase; undefined if it can be accepted. */
  #obstacle({ deadlineAt, email }: Purchase): ErrorCode | undefined {
    const { package: travelPackage, inventory } = this.#draft;
    const { ordersPerEmail } = this.#rules;
    if (this.#monotonic > deadlineAt) return 'overloaded';
    const obstacle = saleObstacle(travelPackage, inventory, this.#now, this.#rules, this.#suppliersAvailable);
    if (obstacle !== undefined || ordersPerEmail === 0) return obstacle;
    const orders = (this.#lookups.liveByEmail.get(email) ?? 0) + this.#draft.insertedWithEmail(email);
    return orders >= ordersPerEmail ? 'order_limit' : undefined;
  }

  #cancel({ orderId, caller, deadlineAt }: Cancel): void {
    const draft = this.#draft;
    const order = this.#stored(orderId);
    if (order === undefined) return this.#refuse(caller, 'unknown_order');
    if (this.#monotonic > deadlineAt) return this.#refuse(caller, 'overloaded', order);
    const answer = cancelAnswer(order, this.#now);
    if (answer !== undefined) return draft.answer(caller, answer);
    if (order.status === 'queued')
      return draft.answer(caller, { kind: 'accepted', order: this.#leave(order) });
    if (order.status === 'payable')
      return draft.answer(caller, { kind: 'accepted', order: this.#compensate(order, abandoned) });
    const cancelling = to.requestCancel(order, this.#now);
    draft.update(cancelling);
    draft.move({ cancelling: 1 });
    draft.startSaga(orderId);
    return draft.answer(caller, { kind: 'accepted', order: cancelling });
  }

  #retry({ orderId, caller, deadlineAt }: Retry): void {
    const order = this.#stored(orderId);
    if (order === undefined) return this.#refuse(caller, 'unknown_order');
    if (this.#monotonic > deadlineAt) return this.#refuse(caller, 'overloaded', order);
    if (isSettled(order)) return this.#refuse(caller, 'not_retryable', order);
    if (order.status === 'queued') this.#serveQueue();
    else this.#draft.retrySaga(orderId);
    return this.#draft.answer(caller, { kind: 'accepted', order });
  }

  #erase({ email, erasures, caller, deadlineAt }: Erase): void {
    if (this.#monotonic > deadlineAt) return this.#refuse(caller, 'overloaded');
    const draft = this.#draft;
    const { erased, left } = eraseEmail(email, erasures, (id) => this.#stored(id), draft);
    for (const order of erased) draft.erase(order);
    return draft.answer(caller, { kind: 'erased', left });
  }

  #withdraw({ orderId }: Withdraw): void {
    const order = this.#draft.order(orderId);
    if (order?.status === 'queued' && order.key === undefined) this.#leave(order);
  }

  #leave(order: Order): Order {
    const withdrawn = to.withdraw(order, this.#now);
    this.#draft.update(withdrawn);
    this.#draft.move({ waiting: -1 });
    return withdrawn;
  }

  /** Applies a saga's result. It counts only in the current epoch, and only while the order's status expects it. */
  #saga(message: SagaMessage): void {
    const draft = this.#draft;
    const order = draft.order(message.orderId);
    if (order === undefined || message.epoch !== draft.state.epoch) return;
    const expected: readonly OrderStatus[] = expectedStatuses[message.kind];
    if (!expected.includes(order.status)) return;
    const { events } = message;
    switch (message.kind) {
      case 'progress':
        return draft.update(to.progress(order, message.reserved, events));
      case 'booked':
        return this.#confirm(to.confirm(order, this.#now, message.reserved, events));
      case 'paymentDue':
        return this.#requirePayment(order, message);
      case 'paid':
        return this.#confirm(to.confirm(order, this.#now, {}, events));
      case 'refused':
        if (to.mayHave('flight', order)) return void this.#compensate(order, message);
        this.#updateAndTell(to.fail(order, this.#now, message.reason, events));
        return this.#releaseUnit({ held: -1 });
      case 'needsCompensation':
      case 'unpaid':
        return void this.#compensate(order, message);
      case 'compensated':
        return this.#endCompensation(order, events);
    }
  }

  #confirm(confirmed: Order): void {
    this.#updateAndTell(confirmed);
    this.#draft.move({ held: -1, confirmed: 1 });
  }

  /**
   * The unit stays held until it is known whether the order is paid. The time to pay begins with this commit, because the
   * buyer learns the address of the payment only after it.
   */
  #requirePayment(
    order: Order,
    { reserved, url, events }: Extract<SagaMessage, { kind: 'paymentDue' }>,
  ): void {
    const { payment } = order;
    if (payment === undefined) return;
    const payBy = this.#now + (this.#rules.payments?.windowMs ?? 0);
    // An order that got its unit under an older release does not name its provider yet.
    const due = { ...to.atProvider(payment, this.#rules.payments?.provider), url, payBy };
    this.#updateAndTell(to.requirePayment(order, this.#now, reserved, due, events));
    this.#draft.startSaga(order.id);
  }

  #compensate(order: Order, { reason, reserved = {}, events }: Failure): Order {
    const compensating = to.compensate(order, this.#now, reason, reserved, events);
    this.#draft.update(compensating);
    this.#draft.startSaga(order.id);
    return compensating;
  }

  #endCompensation(order: Order, events: SagaMessage['events']): void {
    if (order.status === 'compensating') {
      this.#updateAndTell(to.compensated(order, this.#now, events));
      return this.#releaseUnit({ held: -1 });
    }
    this.#updateAndTell(to.cancelled(order, this.#now, events));
    return this.#releaseUnit({ confirmed: -1, cancelling: -1 });
  }

  /** Stores a change that the buyer did not make just now, so somebody may have to be told. */
  #updateAndTell(order: Order): void {
    const { noticeChannels } = this.#rules;
    if (noticeChannels === undefined) this.#draft.update(order);
    else this.#draft.updateWithNotice(order, noticeChannels);
  }

  #releaseUnit(from: { held?: number; confirmed?: number; cancelling?: number }): void {
    this.#draft.move({ ...from, remaining: 1 });
    this.#serveQueue();
  }

  /** Claims units for queued orders, by number (rule Q5). */
  #serveQueue(): void {
    while (this.#mayClaim() && this.#draft.inventory.waiting > 0) {
      const next = this.#draft.nextQueued();
      if (next === undefined) return;
      const held = to.claim(next, this.#now, this.#rules.payments?.provider);
      this.#draft.update(held);
      this.#draft.move({ waiting: -1 });
      this.#hold(held);
    }
  }

  #mayClaim(): boolean {
    const { inventory, package: travelPackage } = this.#draft;
    const isOnSale = travelPackage.paused !== true && travelPackage.archived !== true;
    const isWithinMax = this.#claims < (this.#rules.claimsMax ?? Number.POSITIVE_INFINITY);
    return this.#suppliersAvailable && isOnSale && inventory.remaining > 0 && isWithinMax;
  }

  #hold(order: Order): void {
    this.#claims += 1;
    this.#draft.move({ remaining: -1, held: 1 });
    this.#draft.startSaga(order.id);
  }

  /**
   * Decides purchases of a sold-out package last, because a later message may have begun to cancel a confirmed order
   * (rule Q4).
   */
  #refuseSoldOut(): void {
    const draft = this.#draft;
    for (const purchase of this.#soldOut.splice(0)) {
      if (isSoldOut(draft.package.quota, draft.inventory)) this.#refuse(purchase.caller, 'sold_out');
      else this.#purchase(purchase);
    }
  }

  /** Once every unit is confirmed, rejects the queue, at most `rejectionsMax` orders per commit (rule Q4). */
  #refuseQueue(): void {
    const draft = this.#draft;
    if (!isSoldOut(draft.package.quota, draft.inventory)) return;
    for (let refused = 0; draft.inventory.waiting > 0; refused++) {
      if (refused >= this.#rules.rejectionsMax) {
        draft.effects.push({ kind: 'continue' });
        return;
      }
      const next = draft.nextQueued();
      if (next === undefined) return;
      this.#updateAndTell(to.reject(next, this.#now));
      draft.move({ waiting: -1 });
    }
  }

  #refuse(caller: Purchase['caller'], code: ErrorCode, order?: Order): void {
    this.#draft.answer(caller, { kind: 'refused', code, ...(order === undefined ? {} : { order }) });
  }

  #stored(id: string): Order | undefined {
    return this.#draft.order(id) ?? this.#lookups.byId.get(id);
  }

  #storedUnder(key: string): Order | undefined {
    const stored = this.#lookups.byKey.get(key);
    return this.#draft.orderByKey(key) ?? (stored && (this.#draft.order(stored.id) ?? stored));
  }
}

/** Why an order is compensated. */
interface Failure extends Pick<SagaMessage, 'events'> {
  readonly reason: to.OrderReason;
  readonly reserved?: to.Reserved;
}

/** The buyer has cancelled a payable order. */
const abandoned: Failure = { reason: 'payment_abandoned', events: [] };

/** What an order costs. Its address and its time follow when it becomes payable. */
function paymentOf(price: number, { currency, minorPerUnit }: PaymentRules): to.Payment {
  return { amount: price * minorPerUnit, currency };
}
