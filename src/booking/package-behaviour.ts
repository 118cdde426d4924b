import pLimit from 'p-limit';
import type { Behaviour } from '../actor/behaviour.ts';
import type { Order } from '../domain/order.ts';
import type { Clock } from '../ports/clock.ts';
import type { LiveBus } from '../ports/live-bus.ts';
import type { Log } from '../ports/log.ts';
import type { Store } from '../ports/store.ts';
import type { Suppliers } from '../ports/suppliers.ts';
import type { Effect } from './draft.ts';
import { LinePublisher } from './line-publisher.ts';
import type { PackageMessage } from './messages.ts';
import { decide, type Known, type PackageRules, type Step } from './package-actor.ts';
import { PackageState } from './package-state.ts';
import { expire, redirect } from './patience.ts';
import { recall } from './recall.ts';
import { book, clear, type SagaOptions } from './saga.ts';

export interface PackageBehaviourOptions {
  readonly store: Store;
  readonly suppliers: Suppliers;
  readonly liveBus: LiveBus;
  readonly clock: Clock;
  readonly log: Log;
  readonly instance: string;
  readonly rules: PackageRules;
  /** Puts a message into a package's mailbox, if its actor is active. */
  readonly notify: (packageId: number, message: PackageMessage) => void;
}

/**
 * Booking calls under way at once in this process, as many as a batch of callers that a bench or a balancer keeps
 * waiting; cancels have as many of their own, so neither starves the other.
 */
const sagasMax = 512;
const redeliverMs = 5_000;

/** Joins the pure package actor to the store, the suppliers and the viewers. */
export class PackageBehaviour implements Behaviour<PackageState, PackageMessage, Known, Step> {
  readonly #options: PackageBehaviourOptions;
  readonly #bookings = pLimit(sagasMax);
  readonly #clearings = pLimit(sagasMax);
  readonly #lines = new WeakMap<PackageState, LinePublisher>();

  constructor(options: PackageBehaviourOptions) {
    this.#options = options;
  }

  async activate(id: number): Promise<PackageState | undefined> {
    const { store, suppliers, instance } = this.#options;
    const ownership = await store.takeOwnership(id, instance);
    return ownership && new PackageState(ownership, suppliers.available);
  }

  /** Recovery: held orders go on with the same keys, owed cancels are tried again, the line is served. */
  resume(state: PackageState, signal: AbortSignal): void {
    for (const order of state.orders.values()) {
      if (order.status === 'held') this.#run('book', state, order, signal);
      else if (order.status !== 'queued') this.#run('clear', state, order, signal);
    }
    this.#options.notify(state.package.id, { kind: 'gate', open: this.#options.suppliers.available });
    // Viewers elsewhere know it from the former owner at best.
    this.#publishLine(state, signal);
  }

  recall(state: PackageState, batch: readonly PackageMessage[]): Promise<Known> {
    return recall(this.#options.store, this.#options.rules, state, batch);
  }

  decide(state: PackageState, batch: readonly PackageMessage[], known: Known, now: number): Step {
    return decide(state, batch, known, now, this.#options.rules);
  }

  async commit({ package: { id }, epoch, seq }: PackageState, { change }: Step): Promise<void> {
    if (change !== undefined) await this.#options.store.commit(id, { epoch, seq }, change);
  }

  adopt(state: PackageState, step: Step): void {
    state.gateOpen = step.gateOpen;
    if (step.change !== undefined) state.adopt(step.change);
  }

  perform(state: PackageState, step: Step, signal: AbortSignal): void {
    for (const effect of step.effects) this.#perform(effect, state, signal);
    if (step.change !== undefined) this.#publish(state, step.change, signal);
  }

  expire(batch: readonly PackageMessage[], now: number, cause: 'store' | 'owner'): PackageMessage[] {
    return expire(batch, now, cause);
  }

  redirect(batch: readonly PackageMessage[]): void {
    redirect(batch);
  }

  drop(message: PackageMessage, _error: unknown): void {
    if ('caller' in message) message.caller({ kind: 'refused', code: 'internal' });
    else if ('orderId' in message) void this.#redeliver(message);
  }

  doubt(batch: readonly PackageMessage[]): PackageMessage[] {
    const mayBeStored = ({ kind }: PackageMessage) => kind === 'purchase' || kind === 'amend';
    return batch.map((message) => (mayBeStored(message) ? { ...message, inDoubt: true } : message));
  }

  isIdle(state: PackageState): boolean {
    return state.orders.size === 0;
  }

  deactivated(state: PackageState): void {
    this.#lines.delete(state);
  }

  #perform(effect: Effect, state: PackageState, signal: AbortSignal): void {
    switch (effect.kind) {
      case 'answer':
        return effect.caller(effect.answer);
      case 'book':
      case 'clear':
        return this.#run(effect.kind, state, effect.order, signal);
      case 'continue':
        return this.#options.notify(state.package.id, { kind: 'tick' });
    }
  }

  /** Runs beside the loop; what becomes of it comes back as a message that carries the epoch. */
  #run(what: 'book' | 'clear', state: PackageState, order: Order, signal: AbortSignal): void {
    const { suppliers, clock, notify, log } = this.#options;
    const { epoch } = state;
    const { id: orderId, packageId } = order;
    const report: SagaOptions['report'] = (result, events) =>
      notify(packageId, { orderId, epoch, events, ...result });
    const options: SagaOptions = { suppliers, clock, signal, report };
    const limit = what === 'book' ? this.#bookings : this.#clearings;
    const saga = async () => {
      if (signal.aborted) return;
      await (what === 'book' ? book(order, options) : clear(order, options));
    };
    limit(saga).catch((err: unknown) => {
      // A bug: the order keeps its unit and is tried again at the next activation.
      log.error({ orderId, packageId, err }, `the saga failed: ${what}`);
    });
  }

  #publish(state: PackageState, change: NonNullable<Step['change']>, signal: AbortSignal): void {
    const { liveBus } = this.#options;
    const { package: travelPackage, figures } = state;
    liveBus.publishPackage({ package: travelPackage, figures });
    for (const order of change.updated) liveBus.publishOrder(order);
    for (const order of change.inserted) liveBus.publishOrder(order);
    this.#publishLine(state, signal);
  }

  #publishLine(state: PackageState, signal: AbortSignal): void {
    const { liveBus, clock } = this.#options;
    let line = this.#lines.get(state);
    // Nobody has waited since this activation began: there is no line to tell of.
    if (line === undefined && state.figures.waiting === 0) return;
    if (line === undefined) {
      line = new LinePublisher(liveBus, clock);
      this.#lines.set(state, line);
    }
    line.publish(state, signal);
  }

  /** A saga's word must not get lost, even if it could not be processed this time. */
  async #redeliver(message: PackageMessage & { orderId: string }): Promise<void> {
    const { clock, notify, store } = this.#options;
    await clock.sleep(redeliverMs);
    const order = await store.order(message.orderId).catch(() => undefined);
    if (order !== undefined) notify(order.packageId, message);
  }
}
