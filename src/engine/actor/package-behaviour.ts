import { decide, type Lookups, type PackageRules, type Step } from '../../domain/decide.ts';
import type { Effect } from '../../domain/draft.ts';
import type { Ownership } from '../../domain/messages.ts';
import { inDoubt, type PackageMessage } from '../../domain/messages.ts';
import { PackageState } from '../../domain/package-state.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observability/log.ts';
import { type Metrics, noMetrics } from '../../observability/metrics.ts';
import type { Tracing } from '../../observability/tracing.ts';
import type { LiveBus } from '../../realtime/live-bus.ts';
import { ActivationSagas, SagaSlots } from '../../saga/activation-sagas.ts';
import { OrderTraces } from '../../saga/order-traces.ts';
import { FencedError, type Store } from '../../storage/store.ts';
import type { Suppliers } from '../../suppliers/suppliers.ts';
import { measuredCommit, publishChange } from '../commits.ts';
import { loadLookups } from '../lookups.ts';
import type { Activity } from '../operated-engine.ts';
import { QueuePublisher } from '../queue-publisher.ts';
import { ActivityMeter } from './activity.ts';
import { type Behaviour, GoneError } from './behaviour.ts';
import { expire, redirect } from './patience.ts';

export interface PackageBehaviourOptions {
  readonly store: Store;
  readonly suppliers: Suppliers;
  readonly liveBus: LiveBus;
  readonly clock: Clock;
  readonly log: Log;
  readonly instance: string;
  readonly metrics?: Metrics;
  /** Absent where nothing is traced. */
  readonly tracing?: Tracing;
  readonly rules: PackageRules;
  /** The instances that are there; absent where this is the only one. */
  readonly members?: () => readonly string[];
  /** Puts a message into a package's mailbox, if its actor is active. */
  readonly notify: (packageId: number, message: PackageMessage) => void;
}

const redeliverMs = 5_000;

/** What goes on for one activation beside its state. */
interface Work {
  readonly sagas: ActivationSagas;
  readonly activity: ActivityMeter;
  /** Made when somebody waits for the first time. */
  line?: QueuePublisher;
  /** Messages in the batch at hand. */
  messages: number;
}

/** Joins the pure package actor to the store, the suppliers and the viewers. */
export class PackageBehaviour implements Behaviour<PackageState, PackageMessage, Lookups, Step> {
  readonly #options: PackageBehaviourOptions;
  readonly #turns = new SagaSlots();
  readonly #work = new WeakMap<PackageState, Work>();
  readonly #metrics: Metrics;
  readonly #traces: OrderTraces | undefined;

  constructor(options: PackageBehaviourOptions) {
    this.#options = options;
    this.#metrics = options.metrics ?? noMetrics;
    this.#traces = options.tracing && new OrderTraces(options.tracing);
  }

  async activate(id: number): Promise<PackageState | undefined> {
    const { store, suppliers, instance } = this.#options;
    const ownership = await store.takeOwnership(id, instance);
    if (ownership === undefined) {
      // The sender's snapshot still had the package: tell everybody that it is gone.
      this.#options.liveBus.publishRemoved(id);
      return undefined;
    }
    this.#metrics.takeover(ownership.unfinished.length > 0);
    this.#logTakeover(ownership);
    return new PackageState(ownership, suppliers.available);
  }

  /** Recovery: held orders go on with the same keys, owed cancels are tried again, the line is served. */
  resume(state: PackageState, signal: AbortSignal): void {
    const { clock } = this.#options;
    const sagas = new ActivationSagas(
      { ...this.#options, traces: this.#traces },
      this.#turns,
      state.epoch,
      signal,
    );
    this.#work.set(state, { sagas, activity: new ActivityMeter(clock.now()), messages: 0 });
    for (const order of state.orders.values()) {
      if (order.status === 'held') sagas.start('book', order);
      else if (order.status !== 'queued') sagas.start('compensate', order);
    }
    this.#options.notify(state.package.id, {
      kind: 'suppliers',
      available: this.#options.suppliers.available,
    });
    // Viewers elsewhere know it from the former owner at best.
    this.#publishQueue(state, signal);
  }

  loadLookups(state: PackageState, batch: readonly PackageMessage[]): Promise<Lookups> {
    this.#traces?.taken(state, batch);
    return loadLookups(this.#options.store, this.#options.rules, state, batch);
  }

  decide(state: PackageState, batch: readonly PackageMessage[], known: Lookups, now: number): Step {
    const work = this.#work.get(state);
    if (work !== undefined) work.messages = batch.length;
    return decide(state, batch, known, now, this.#options.rules);
  }

  async commit(state: PackageState, { change }: Step): Promise<void> {
    if (change === undefined) return;
    const { package: travelPackage, epoch, seq } = state;
    const write = () => this.#options.store.commit(travelPackage.id, { epoch, seq }, change);
    const startedAt = this.#options.clock.now();
    try {
      await measuredCommit(this.#metrics, () =>
        this.#traces === undefined ? write() : this.#traces.commit(state, write),
      );
    } catch (error) {
      if (error instanceof FencedError && (await this.#isRemoved(travelPackage.id))) {
        this.#options.liveBus.publishRemoved(travelPackage.id);
        throw new GoneError(`package ${travelPackage.id} was removed`);
      }
      throw error;
    }
    this.#note(state, change.inserted.length, startedAt);
  }

  apply(state: PackageState, step: Step): void {
    state.suppliersAvailable = step.suppliersAvailable;
    if (step.change === undefined) return;
    state.apply(step.change);
    this.#metrics.committed(step.change);
    this.#traces?.committed(state, step.change);
  }

  runEffects(state: PackageState, step: Step, signal: AbortSignal): void {
    for (const effect of step.effects) this.#perform(effect, state);
    if (step.change !== undefined) this.#publish(state, step.change, signal);
  }

  expire(batch: readonly PackageMessage[], now: number, cause: 'store' | 'owner'): PackageMessage[] {
    return expire(batch, now, cause);
  }

  redirect(batch: readonly PackageMessage[]): void {
    redirect(batch);
  }

  unknown(batch: readonly PackageMessage[]): void {
    for (const message of batch) {
      if ('caller' in message) message.caller({ kind: 'refused', code: 'unknown_package' });
    }
  }

  drop(message: PackageMessage, _error: unknown): void {
    if ('caller' in message) message.caller({ kind: 'refused', code: 'internal' });
    else if ('orderId' in message) void this.#redeliver(message);
  }

  doubt(batch: readonly PackageMessage[]): PackageMessage[] {
    return inDoubt(batch);
  }

  isIdle(state: PackageState): boolean {
    return state.orders.size === 0;
  }

  deactivated(state: PackageState): void {
    this.#work.delete(state);
    this.#traces?.forget(state);
  }

  /** How busy a package is that is acted for here. */
  activity(state: PackageState, mailbox: number): Activity | undefined {
    return this.#work.get(state)?.activity.read(this.#options.clock.now(), mailbox);
  }

  /** Sagas of all packages, those that wait for their turn included. */
  get sagas(): number {
    return this.#turns.count;
  }

  /** Logs at `info` when another instance owned the package before; own activations are routine, so `debug`. */
  #logTakeover({ package: { id: packageId }, fence: { epoch }, former, unfinished }: Ownership): void {
    const { instance, members, log } = this.#options;
    const isOwn = former === undefined || former === instance;
    const ownReason = former === undefined ? 'nobody has owned it before' : 'it was passivated, or in doubt';
    const isThere = members?.().includes(former ?? '') === true;
    const reason = isOwn
      ? ownReason
      : isThere
        ? 'its owner gave it away, or lost its lease'
        : 'its owner is gone';
    log[isOwn ? 'debug' : 'info'](
      { packageId, from: former ?? null, epoch, unfinished: unfinished.length, reason },
      isOwn ? 'a package was activated' : 'a package was taken over',
    );
  }

  /** Whether a fenced commit was refused because the package was removed, not because another instance owns it. */
  async #isRemoved(id: number): Promise<boolean> {
    return this.#options.store.package(id).then(
      (stored) => stored === undefined,
      () => false,
    );
  }

  #note(state: PackageState, orders: number, startedAt: number): void {
    const work = this.#work.get(state);
    const now = this.#options.clock.now();
    work?.activity.note(now, { orders, messages: work.messages, ms: now - startedAt });
  }

  #perform(effect: Effect, state: PackageState): void {
    switch (effect.kind) {
      case 'answer':
        return effect.caller(effect.answer);
      case 'book':
      case 'compensate':
        return this.#work.get(state)?.sagas.start(effect.kind, effect.order);
      case 'retry':
        return this.#work.get(state)?.sagas.retry(effect.order);
      case 'continue':
        return this.#options.notify(state.package.id, { kind: 'tick' });
    }
  }

  #publish(state: PackageState, change: NonNullable<Step['change']>, signal: AbortSignal): void {
    publishChange(this.#options.liveBus, state.package, change);
    this.#publishQueue(state, signal);
  }

  #publishQueue(state: PackageState, signal: AbortSignal): void {
    const { liveBus, clock } = this.#options;
    const work = this.#work.get(state);
    // Nobody has waited since this activation began: there is no line to tell of.
    if (work === undefined || (work.line === undefined && state.inventory.waiting === 0)) return;
    work.line ??= new QueuePublisher(liveBus, clock);
    work.line.publish(state, signal);
  }

  /** A saga's word must not get lost, even if it could not be processed this time. */
  async #redeliver(message: PackageMessage & { orderId: string }): Promise<void> {
    const { clock, notify, store } = this.#options;
    await clock.sleep(redeliverMs);
    const order = await store.order(message.orderId).catch(() => undefined);
    if (order !== undefined) notify(order.packageId, message);
  }
}
