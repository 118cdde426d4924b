import { isSettled, type Order } from '../../src/domain/order.ts';
import type { Accepted, PurchaseRequest, Refused } from '../../src/engine/engine.ts';
import type { LookUpResult } from './look-up.ts';
import type { StoreCore } from './sim-store.ts';
import type { SoldOutTimes } from './sold-out-times.ts';
import type { World } from './world.ts';

/** A purchase as it was sent. */
export interface SentPurchase extends Pick<PurchaseRequest, 'packageId' | 'email' | 'key'> {
  readonly at: number;
  /** What was stored under its key at that time. */
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

/** So long after everything works again, every package has an owner whom everybody finds. */
const recoveredMs = 20_000;

/** Answers that say nothing about the order: it could not be asked for. */
const retryableCodes: readonly string[] = ['no_owner', 'overloaded', 'store_unavailable'];

/** Holds what people are told against the promises and what is stored. */
export class AnswerChecks {
  readonly #world: World;
  readonly #store: StoreCore;
  readonly #soldOut: SoldOutTimes;
  /** Ids that somebody was told are accepted. */
  readonly #accepted = new Set<string>();
  /** Those of them that came with a key, by package and key. */
  readonly #byKey = new Map<string, string>();
  /** By package, email and key: how many purchases were not refused outright, and so may have been stored. */
  readonly #storedMax = new Map<string, number>();
  readonly #cancelSent = new Set<string>();
  /** What the first one saw who looked for an order in vain. */
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

  /** @param answer is undefined when there was none. */
  onPurchaseAnswered(sent: SentPurchase, answer: Accepted | Refused | undefined): void {
    const { stored, email, packageId, key } = sent;
    const isServed =
      answer?.kind === 'accepted' || (answer !== undefined && !retryableCodes.includes(answer.code));
    const isServable = this.#world.calmMs < recoveredMs + (this.#world.scheduler.now - sent.at);
    this.#world.require(
      isServed || isServable,
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

  /** A customer has waited for the outcome, and was told this. What has happened can only be cancelled. */
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
  }

  /** Somebody has looked for an order, with its number and its email, or with one of them wrong. */
  onLookUp(
    { id }: Pick<Order, 'id'>,
    knowsBoth: boolean,
    { status, text, reads, looks }: LookUpResult,
  ): void {
    const { counters } = this.#world;
    const require = this.#world.require.bind(this.#world);
    if (status === 503) return counters.count('looked in vain');
    require(reads === looks, 'Q10', () => `${looks} looks read the store ${reads} times`);
    // An email that was erased meanwhile is wrong.
    if (knowsBoth && !(status === 404 && this.#store.erasedEmails.has(id))) {
      require(status === 200 && text.includes(id), 'Q6', () => `order ${id} is not shown: ${status}`);
      return counters.count('looked and found');
    }
    this.#miss ??= text;
    const isMiss = status === 404 && text === this.#miss;
    require(isMiss, 'Q10', () => `a look for ${id} saw ${status}, and not what others see`);
    counters.count('looked and missed');
  }

  /** Somebody asks for a cancel. */
  onCancelSent({ id }: Order): void {
    this.#cancelSent.add(id);
  }

  /** What was answered to it. */
  onCancelAnswered({ id }: Order, answer: Accepted | Refused | undefined): void {
    const status = this.#store.orders.get(id)?.status ?? 'not stored';
    const left = ['cancelling', 'cancelled', 'withdrawn'];
    const isTrue =
      answer?.kind === 'accepted'
        ? left.includes(status) && left.includes(answer.order.status)
        : answer?.code !== 'not_cancellable' || ['failed', 'rejected'].includes(status);
    const words = answer?.kind === 'refused' ? answer.code : answer?.kind;
    this.#world.require(isTrue, 'Q6', () => `the cancel of ${id} was answered ${words}, and it is ${status}`);
  }

  /** Once everything has settled. */
  checkSettled(): void {
    for (const { id, key, status } of this.#store.orders.values()) {
      // Who hangs up leaves the line, unless there is a key to come back with.
      const isLeft = status === 'cancelled' || (status === 'withdrawn' && key !== undefined);
      const isAsked = !isLeft || this.#cancelSent.has(id);
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
        count <= most || this.#outlivesItsDeadline,
        'refusal',
        () => `${name} has ${count} orders, and was refused all but ${most}`,
      );
    }
    for (const id of this.#accepted) {
      this.#world.require(this.#store.orders.has(id), 'Q6', () => `order ${id} was accepted and is lost`);
    }
  }

  /**
   * A purchase that one owner did not answer and the next one refused is dropped by the first at its deadline. Where
   * that one's clock was set back meanwhile, the deadline is later than its sender thinks, and the order may be stored.
   */
  get #outlivesItsDeadline(): boolean {
    return this.#world.drawn.clockJump > 0;
  }

  #isErased({ packageId, key, email }: PurchaseParams): boolean {
    return [...this.#store.erasedEmails].some(([id, before]) => {
      const order = this.#store.orders.get(id);
      return before === email && order?.packageId === packageId && order.key === key;
    });
  }

  /** The email that it was bought with. */
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
    // It may be an earlier copy of this very purchase that is in its way, without its email by now.
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

  /** How old a snapshot that refuses may be: a quarter of a second, by clocks and news that may be late. */
  #staleMs(): number {
    const { messageLate, pause, clockJump } = this.#world.drawn;
    return 300 + (messageLate > 0 ? 10_000 : 0) + (pause > 0 ? 20_000 : 0) + (clockJump > 0 ? 10_000 : 0);
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
