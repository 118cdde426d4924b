import type { Accepted, Refused } from '../../src/domain/messages.ts';
import { isSettled, type Order } from '../../src/domain/order.ts';
import type { PurchaseRequest } from '../../src/engine/engine.ts';
import type { ApiAnswer } from './api-cancel.ts';
import type { LookUpResult } from './look-up.ts';
import type { StoreCore } from './sim-store.ts';
import type { SoldOutTimes } from './sold-out-times.ts';
import type { World } from './world.ts';

/** A purchase request. */
export interface SentPurchase extends Pick<PurchaseRequest, 'packageId' | 'email' | 'key'> {
  readonly at: number;
  /** The order that was stored under the purchase's key at that time. */
  readonly stored: Order | undefined;
}

interface PurchaseParams {
  readonly packageId: number;
  readonly email: string;
  readonly key?: string | undefined;
}

function nameOf({ packageId, email, key }: PurchaseParams): string {
  return `${email} with key ${key ?? 'none'} at package ${packageId}`;
}

/** After this time without faults, every package has an owner that all instances find. */
const recoveredMs = 20_000;

/** The status with which the API shows an order. */
function statusOf({ status, reason }: Pick<Order, 'status' | 'reason'>): number {
  const isOver = status !== 'compensating';
  if (status === 'confirmed') return 201;
  if (['queued', 'held', 'payable', 'cancelling'].includes(status)) return 202;
  if (status === 'rejected') return 409;
  if (['cancelled', 'withdrawn'].includes(status)) return 200;
  if (reason === 'payment_abandoned') return isOver ? 200 : 202;
  return reason === 'payment_declined' || reason === 'payment_expired' ? 402 : 502;
}

/** Whether the order has ended, or is about to, because its buyer cancelled it. */
function hasLeft({ status, reason }: Pick<Order, 'status' | 'reason'>): boolean {
  return ['cancelling', 'cancelled', 'withdrawn'].includes(status) || reason === 'payment_abandoned';
}

/** Refusals that say nothing about the order. */
const retryableCodes: readonly string[] = ['no_owner', 'overloaded', 'store_unavailable'];

/** Checks every answer to a customer against the promises and the store. */
export class AnswerChecks {
  readonly #world: World;
  readonly #store: StoreCore;
  readonly #soldOut: SoldOutTimes;
  /** Ids of orders that were answered as accepted. */
  readonly #accepted = new Set<string>();
  /** The accepted orders with a key, by package and key. */
  readonly #byKey = new Map<string, string>();
  /** How many purchases were not refused and so may be stored, by package, email and key. */
  readonly #storedMax = new Map<string, number>();
  readonly #cancelSent = new Set<string>();
  /** The answer to the first failed look-up. All other failed look-ups must get the same answer. */
  #miss: string | undefined;

  constructor(world: World, store: StoreCore, soldOut: SoldOutTimes) {
    this.#world = world;
    this.#store = store;
    this.#soldOut = soldOut;
  }

  onPurchaseSent({
    packageId,
    email,
    key,
  }: Pick<PurchaseRequest, 'packageId' | 'email' | 'key'>): SentPurchase {
    const stored = this.#storedUnder(packageId, key);
    const params = { packageId, email, ...(key === undefined ? {} : { key }) };
    this.#count(params, 1);
    return { ...params, at: this.#world.scheduler.now, stored };
  }

  /** @param answer undefined if the customer got no answer. */
  onPurchaseAnswered(sent: SentPurchase, answer: Accepted | Refused | undefined): void {
    const { stored, email, packageId, key } = sent;
    const isServed =
      answer?.kind === 'accepted' || (answer !== undefined && !retryableCodes.includes(answer.code));
    const { now } = this.#world.scheduler;
    const isUnreadable = stored !== undefined && this.#store.spoilt.has(stored.id);
    const isOwnable = !isUnreadable && this.#store.isOwnableFor(packageId, now);
    const isServable = this.#world.calmMs < recoveredMs + (this.#world.scheduler.now - sent.at);
    this.#world.require(
      isServed || isServable || !isOwnable,
      'Q6',
      () =>
        `nobody serves package ${packageId}, and all works: ${answer?.kind === 'refused' ? answer.code : 'no answer'}`,
    );
    if (answer === undefined) return;
    const name = `key ${key} of package ${packageId}`;
    const isShown =
      answer.order === undefined || [answer.order.email, this.#originalEmail(answer.order)].includes(email);
    this.#world.require(isShown, 'Q10', () => `${email} was shown the order ${answer.order?.id}`);
    if (answer.kind === 'refused') return this.#checkRefusal(sent, answer);
    this.#world.require(answer.order.packageId === packageId, 'Q7', () => `${name} gave another package`);
    const isSame = stored === undefined || stored.id === answer.order.id;
    this.#world.require(isSame, 'Q7', () => `${name} was ${stored?.id}, and gave ${answer.order.id}`);
    if (stored !== undefined) this.#world.counters.count('key joined');
    this.#noteAccepted(answer.order);
  }

  /** Checks an outcome that a customer got. A finished order can change only by a cancel. */
  onOutcome(told: Order): void {
    const stored = this.#store.orders.get(told.id);
    const isSo =
      stored !== undefined &&
      (stored.status === told.status ||
        !isSettled(told) ||
        ['cancelling', 'cancelled'].includes(stored.status));
    this.#world.require(
      isSo,
      'Q6',
      () => `order ${told.id} was told ${told.status} and is ${stored?.status}`,
    );
    const { url, payBy } = told.payment ?? {};
    const isPayable = told.status !== 'payable' || (url !== undefined && payBy !== undefined);
    this.#world.require(isPayable, 'Q11', () => `the buyer of ${told.id} is not told where to pay`);
  }

  /** Checks the answer to a look-up by id and email. The id or the email may be wrong. */
  onLookUp(
    { id }: Pick<Order, 'id'>,
    knowsBoth: boolean,
    { status, text, reads, looks }: LookUpResult,
  ): void {
    const { counters } = this.#world;
    const require = this.#world.require.bind(this.#world);
    if (status === 503) return counters.count('looked in vain');
    require(reads === looks, 'Q10', () => `${looks} looks read the store ${reads} times`);
    // The email may have been erased meanwhile.
    if (knowsBoth && !(status === 404 && this.#store.erasedEmails.has(id))) {
      require(status === 200 && text.includes(id), 'Q6', () => `order ${id} is not shown: ${status}`);
      const isPayable = text.includes('"status":"payable"');
      const isShown = ['"paymentUrl":', '"payBy":'].every((member) => text.includes(member) === isPayable);
      require(isShown, 'Q11', () => `the payment of ${id} is not shown as it is: ${text}`);
      return counters.count('looked and found');
    }
    this.#miss ??= text;
    const isMiss = status === 404 && text === this.#miss;
    require(isMiss, 'Q10', () => `a look for ${id} saw ${status}, and not what others see`);
    counters.count('looked and missed');
  }

  /** Notes that a cancel was requested. */
  onCancelSent({ id }: Order): void {
    this.#cancelSent.add(id);
  }

  /** Checks the answer to a cancel. */
  onCancelAnswered({ id }: Order, answer: Accepted | Refused | undefined): void {
    if (answer === undefined) return;
    this.#checkCancel(id, answer.kind === 'refused' ? answer.code : answer.kind, answer.order);
  }

  /** Checks the answer of the API to a cancel. */
  onApiCancelAnswered({ id }: Order, { status, code, order }: ApiAnswer): void {
    // Nothing is known then.
    if (status === 500 || status === 503) return;
    if (status === 404) {
      const isErased = this.#store.erasedEmails.has(id);
      return this.#world.require(isErased, 'Q6', () => `order ${id} cannot be cancelled: it is not found`);
    }
    const isRefused = code === 'in_progress' || code === 'not_cancellable';
    const isTrue = order !== undefined && status === (isRefused ? 409 : statusOf(order));
    this.#world.require(
      isTrue,
      'Q6',
      () => `the cancel of ${id} was answered with ${status} ${code}, and it is ${JSON.stringify(order)}`,
    );
    this.#checkCancel(id, isRefused ? code : 'accepted', order);
  }

  #checkCancel(id: string, words: string, told: Pick<Order, 'status' | 'reason'> | undefined): void {
    const stored = this.#store.orders.get(id);
    const hasEnded = stored?.status === 'failed' || stored?.status === 'rejected';
    const isTrue =
      words === 'accepted'
        ? stored !== undefined && hasLeft(stored) && told !== undefined && hasLeft(told)
        : words === 'not_cancellable'
          ? hasEnded && !hasLeft(stored)
          : words !== 'in_progress' || told === undefined || !hasLeft(told);
    this.#world.require(
      isTrue,
      'Q6',
      () => `the cancel of ${id} was answered ${words}, and it is ${stored?.status ?? 'not stored'}`,
    );
  }

  /** The checks at the end, when nothing is under way. */
  checkSettled(): void {
    for (const { id, key, status, reason } of this.#store.orders.values()) {
      // A withdrawn order without a key needs no request to cancel: its caller may just have disconnected.
      const needsRequest =
        status === 'cancelled' ||
        reason === 'payment_abandoned' ||
        (status === 'withdrawn' && key !== undefined);
      const isAsked = !needsRequest || this.#cancelSent.has(id);
      this.#world.require(isAsked, 'Q6', () => `order ${id} is ${status}, and nobody asked for that`);
    }
    const stored = new Map<string, number>();
    for (const order of this.#store.orders.values()) {
      const name = nameOf({ ...order, email: this.#originalEmail(order) });
      stored.set(name, (stored.get(name) ?? 0) + 1);
    }
    for (const [name, count] of stored) {
      const most = this.#storedMax.get(name) ?? 0;
      this.#world.require(
        count <= most,
        'refusal',
        () => `${name} has ${count} orders, and was refused all but ${most}`,
      );
    }
    for (const id of this.#accepted) {
      this.#world.require(this.#store.orders.has(id), 'Q6', () => `order ${id} was accepted and is lost`);
    }
  }

  #isErased({ packageId, key, email }: PurchaseParams): boolean {
    return [...this.#store.erasedEmails].some(([id, before]) => {
      const order = this.#store.orders.get(id);
      return before === email && order?.packageId === packageId && order.key === key;
    });
  }

  /** The email of the purchase, which an erasure may have replaced in the order. */
  #originalEmail({ id, email }: Order): string {
    return this.#store.erasedEmails.get(id) ?? email;
  }

  #noteAccepted({ id, key, packageId }: Order): void {
    this.#world.require(this.#store.orders.has(id), 'Q6', () => `order ${id} was accepted and is not stored`);
    this.#accepted.add(id);
    if (key === undefined) return;
    const name = `${packageId}:${key}`;
    const before = this.#byKey.get(name) ?? id;
    this.#world.require(before === id, 'Q7', () => `key ${name} gave ${before}, and then ${id}`);
    this.#byKey.set(name, id);
  }

  #checkRefusal({ packageId, key, email, at, stored }: SentPurchase, { code }: Refused): void {
    const require = this.#world.require.bind(this.#world);
    const name = `key ${key} of package ${packageId}`;
    require(code !== 'internal', 'bug', () => 'a customer was told internal');
    const isAnotherOnes = this.#storedUnder(packageId, key)?.email !== email;
    // The key may belong to an earlier copy of this purchase whose email was erased.
    const isErased = code === 'key_reused' && this.#isErased({ packageId, key, email });
    if (!retryableCodes.includes(code) && !isErased) this.#count({ packageId, email, key }, -1);
    if (code === 'sold_out') this.#checkSoldOut(packageId, at);
    if (code === 'key_reused') return require(isAnotherOnes, 'Q7', () => `${name} was refused to its owner`);
    const isNoAnswer = stored === undefined || retryableCodes.includes(code);
    require(isNoAnswer, 'Q7', () => `${name} is order ${stored?.id}, and was refused: ${code}`);
  }

  #checkSoldOut(packageId: number, askedAt: number): void {
    const { now } = this.#world.scheduler;
    const isTrue = this.#soldOut.wasSoldOut(packageId, askedAt - this.#staleMs(), now);
    this.#world.require(isTrue, 'Q4', () => `package ${packageId} was called sold out and was not`);
  }

  /** Maximum age of a snapshot that refuses a purchase: 300 ms plus the delays of the drawn faults. */
  #staleMs(): number {
    const { messageLate, pause } = this.#world.drawn;
    return 300 + (messageLate > 0 ? 10_000 : 0) + (pause > 0 ? 20_000 : 0);
  }

  #count(params: PurchaseParams, by: number): void {
    const name = nameOf(params);
    this.#storedMax.set(name, (this.#storedMax.get(name) ?? 0) + by);
  }

  #storedUnder(packageId: number, key: string | undefined): Order | undefined {
    if (key === undefined) return undefined;
    const id = this.#store.packages.get(packageId)?.byKey.get(key);
    return id === undefined ? undefined : this.#store.orders.get(id);
  }
}
