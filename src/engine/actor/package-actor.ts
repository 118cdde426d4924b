import type { Messages } from '../../cluster/messages.ts';
import { decide, type Lookups, type PackageRules, type Step } from '../../domain/decide.ts';
import { type Effect, inDoubt, type Ownership, type PackageMessage } from '../../domain/messages.ts';
import { sagaStatuses } from '../../domain/order.ts';
import { PackageState } from '../../domain/package-state.ts';
import type { AbortState } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Notifications } from '../../notifications/notifications.ts';
import type { Log } from '../../observability/log.ts';
import { type Metrics, noMetrics } from '../../observability/metrics.ts';
import type { Tracing } from '../../observability/tracing.ts';
import type { LiveBus } from '../../realtime/live-bus.ts';
import { OrderTraces } from '../../saga/order-traces.ts';
import { ActivationSagas, SagaRunner } from '../../saga/saga-runner.ts';
import { FencedError, type Store } from '../../storage/store.ts';
import type { Suppliers } from '../../suppliers/suppliers.ts';
import { loadLookups, measuredCommit, publishChange } from '../commands.ts';
import type { Activity } from '../operated-engine.ts';
import { QueuePublisher } from '../queue-positions.ts';
import { type Actor, type Behaviour, GoneError } from './activation.ts';
import { ActivityMeter } from './mailbox.ts';

export interface PackageActorOptions {
  readonly store: Store;
  readonly suppliers: Suppliers;
  readonly liveBus: LiveBus;
  readonly clock: Clock;
  readonly log: Log;
  readonly instance: string;
  readonly metrics?: Metrics;
  /** Absent when tracing is off. */
  readonly tracing?: Tracing;
  readonly rules: PackageRules;
  /** Absent if nobody is told of outcomes. */
  readonly notifications?: Notifications;
  /** The transport to the other instances; absent for a single instance. */
  readonly messages?: Messages;
  /** Puts a message into the mailbox of a package, if its actor is active. */
  readonly notify: (packageId: number, message: PackageMessage) => void;
}

/** The options and objects that the actors of all packages share. */
interface Shared extends PackageActorOptions {
  readonly metrics: Metrics;
  readonly runner: SagaRunner;
  readonly traces: OrderTraces | undefined;
}

const redeliverMs = 5_000;
const refusals = { store: 'store_unavailable', owner: 'no_owner' } as const;

/** Activates package actors, and handles the messages that no active actor can process. */
export class PackageBehaviour implements Behaviour<PackageMessage, PackageActor> {
  readonly #shared: Shared;

  constructor(options: PackageActorOptions) {
    const { metrics = noMetrics, tracing } = options;
    const traces = tracing && new OrderTraces(tracing);
    const runner = new SagaRunner({ ...options, metrics, traces });
    this.#shared = { ...options, metrics, traces, runner };
  }

  async activate(id: number): Promise<PackageActor | undefined> {
    const { store, suppliers, instance, liveBus, metrics } = this.#shared;
    const ownership = await store.takeOwnership(id, instance);
    if (ownership === undefined) {
      // The sender's snapshot still contained the package, so the snapshots of other instances may contain it too.
      liveBus.publishRemoved(id);
      return undefined;
    }
    metrics.takeover(ownership.unfinished.length > 0);
    this.#logTakeover(ownership);
    return new PackageActor(this.#shared, new PackageState(ownership, suppliers.available(id)));
  }

  expire(batch: readonly PackageMessage[], now: number, cause: keyof typeof refusals): PackageMessage[] {
    return batch.flatMap((message) => {
      if (!('caller' in message) || now <= message.deadlineAt) return [message];
      message.caller({ kind: 'refused', code: refusals[cause] });
      // The order may be stored, but its caller never learns the id. Without a key the order must leave the queue.
      const isLost = message.kind === 'purchase' && message.inDoubt === true && message.key === undefined;
      return isLost ? [{ kind: 'withdraw', orderId: message.orderId }] : [];
    });
  }

  /**
   * Tells callers to ask another instance. Messages without a caller are dropped, because the next owner reads their
   * orders from the store.
   */
  redirect(batch: readonly PackageMessage[]): void {
    for (const message of batch) if ('caller' in message) message.caller({ kind: 'notOwner' });
  }

  unknown(batch: readonly PackageMessage[]): void {
    for (const message of batch) {
      if ('caller' in message) message.caller({ kind: 'refused', code: 'unknown_package' });
    }
  }

  drop(message: PackageMessage): void {
    if ('caller' in message) message.caller({ kind: 'refused', code: 'internal' });
    else if ('orderId' in message) void this.#redeliver(message);
  }

  doubt(batch: readonly PackageMessage[]): PackageMessage[] {
    return inDoubt(batch);
  }

  /** The number of sagas of all packages. */
  get sagas(): number {
    return this.#shared.runner.count;
  }

  /** Logs at `info` if another instance owned the package before, else at `debug`. */
  #logTakeover({ package: { id: packageId }, fence: { epoch }, former, unfinished }: Ownership): void {
    const { instance, messages, log } = this.#shared;
    const isOwn = former === undefined || former === instance;
    const ownReason = former === undefined ? 'nobody has owned it before' : 'it was passivated, or in doubt';
    const isThere = messages?.members().includes(former ?? '') === true;
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

  /** Delivers a saga's result again that could not be processed, because such a result must not get lost. */
  async #redeliver(message: PackageMessage & { orderId: string }): Promise<void> {
    const { clock, notify, store } = this.#shared;
    await clock.sleep(redeliverMs);
    const order = await store.order(message.orderId).catch(() => undefined);
    if (order !== undefined) notify(order.packageId, message);
  }
}

/** An active package: its state, its sagas, and its connection to the store and the viewers. */
export class PackageActor implements Actor<PackageMessage, Lookups, Step> {
  /** The committed state, to read only. */
  readonly state: PackageState;
  readonly #shared: Shared;
  readonly #activity: ActivityMeter;
  #sagas!: ActivationSagas;
  #ended!: AbortState;
  /** Created when an order joins the queue for the first time. */
  #queuePublisher: QueuePublisher | undefined;
  /** The number of messages in the current batch. */
  #messages = 0;

  constructor(shared: Shared, state: PackageState) {
    this.#shared = shared;
    this.state = state;
    this.#activity = new ActivityMeter(shared.clock.monotonic());
  }

  /** Continues the sagas of the former owner with the same keys, and serves the queue. */
  resume(signal: AbortState): void {
    const { notify, suppliers, notifications } = this.#shared;
    const { state } = this;
    const sagas = new ActivationSagas(this.#shared, state.epoch, signal);
    this.#sagas = sagas;
    this.#ended = signal;
    for (const order of state.orders.values()) if (order.status !== 'queued') sagas.resume(order);
    // The message makes the loop see that nothing keeps the actor from being passivated any more.
    notifications?.own(state.package.id, signal, () => notify(state.package.id, { kind: 'tick' }));
    notify(state.package.id, { kind: 'suppliers', available: suppliers.available(state.package.id) });
    // Viewers at other instances know at best the former owner's queue.
    this.#publishQueue();
  }

  loadLookups(batch: readonly PackageMessage[]): Promise<Lookups> {
    const { traces, store, rules } = this.#shared;
    traces?.taken(this.state, batch);
    return loadLookups(store, rules, this.state, batch);
  }

  decide(batch: readonly PackageMessage[], lookups: Lookups): Step {
    const { clock, rules, notifications } = this.#shared;
    this.#messages = batch.length;
    // An order that is retried and was looked up has ended: an operator may have revived its notices.
    if (batch.some((message) => message.kind === 'retry' && lookups.byId.has(message.orderId)))
      notifications?.added(this.state.package.id);
    return decide(this.state, batch, lookups, { now: clock.now(), monotonic: clock.monotonic() }, rules);
  }

  async commit({ change }: Step): Promise<void> {
    if (change === undefined) return;
    const { store, clock, metrics, traces, liveBus } = this.#shared;
    const { package: travelPackage, epoch, seq } = this.state;
    const write = () => store.commit(travelPackage.id, { epoch, seq }, change);
    const startedAt = clock.monotonic();
    try {
      await measuredCommit(metrics, () =>
        traces === undefined ? write() : traces.commit(this.state, write),
      );
    } catch (error) {
      if (error instanceof FencedError && (await this.#isRemoved(travelPackage.id))) {
        liveBus.publishRemoved(travelPackage.id);
        throw new GoneError(`package ${travelPackage.id} was removed`);
      }
      throw error;
    }
    const now = clock.monotonic();
    const { length: orders } = change.inserted;
    this.#activity.note(now, { orders, messages: this.#messages, ms: now - startedAt });
  }

  apply({ suppliersAvailable, change }: Step): void {
    const { metrics, traces } = this.#shared;
    this.state.suppliersAvailable = suppliersAvailable;
    if (change === undefined) return;
    this.state.apply(change);
    metrics.committed(change);
    traces?.committed(this.state, change);
  }

  runEffects({ effects, change }: Step): void {
    for (const effect of effects) this.#run(effect);
    if (change === undefined) return;
    for (const { id, status } of change.updated) if (!sagaStatuses.includes(status)) this.#sagas.forget(id);
    publishChange(this.#shared.liveBus, this.state.package, change);
    if (change.notices !== undefined) this.#shared.notifications?.added(this.state.package.id);
    this.#publishQueue();
  }

  get isIdle(): boolean {
    const isDelivering = this.#shared.notifications?.isDelivering(this.state.package.id) === true;
    return this.state.orders.size === 0 && !isDelivering;
  }

  end(): void {
    this.#shared.traces?.forget(this.state);
  }

  /** @param mailbox the number of messages that now wait for their commit */
  activity(mailbox: number): Activity {
    const { clock } = this.#shared;
    const now = clock.monotonic();
    const activity = this.#activity.read(now, mailbox);
    return { ...activity, endedAt: Math.round(clock.now() - (now - activity.endedAt)) };
  }

  #run(effect: Effect): void {
    switch (effect.kind) {
      case 'answer':
        return effect.caller(effect.answer);
      case 'book':
      case 'awaitPayment':
      case 'compensate':
        return this.#sagas.start(effect.kind, effect.order);
      case 'retry':
        return this.#sagas.retry(effect.order);
      case 'continue':
        return this.#shared.notify(this.state.package.id, { kind: 'tick' });
    }
  }

  #publishQueue(): void {
    if (this.#queuePublisher === undefined && this.state.inventory.waiting === 0) return;
    const { liveBus, clock } = this.#shared;
    this.#queuePublisher ??= new QueuePublisher(liveBus, clock);
    this.#queuePublisher.publish(this.state, this.#ended);
  }

  /** Whether a commit was fenced because the package was removed, not because another instance owns the package. */
  async #isRemoved(id: number): Promise<boolean> {
    return this.#shared.store.package(id).then(
      (stored) => stored === undefined,
      () => false,
    );
  }
}
