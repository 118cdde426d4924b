import type { Leases } from '../../cluster/lease.ts';
import type { PackageRules } from '../../domain/decide.ts';
import type { Answer, CommandMessage, NotOwner, OrderAnswer, PackageMessage } from '../../domain/messages.ts';
import type { Order } from '../../domain/order.ts';
import type { PackageState } from '../../domain/package-state.ts';
import type { PackageSnapshot } from '../../domain/travel-package.ts';
import { UnderWay } from '../../lib/under-way.ts';
import { traced } from '../../saga/order-traces.ts';
import { answered, answerOf, type Command, refused } from '../commands.ts';
import type { PurchaseRequest } from '../engine.ts';
import type { EngineLoad } from '../operated-engine.ts';
import { EngineShell, type ShellOptions } from '../shell.ts';
import { Candidates } from './candidates.ts';
import { type PackageActor, type PackageActorOptions, PackageBehaviour } from './package-actor.ts';
import { Placement, type PlacementOptions } from './placement.ts';
import { PeerService } from './routing/peers.ts';
import { type LocalOwner, Router } from './routing/router.ts';
import { ActorRuntime, type Attempt } from './runtime.ts';
import { Traffic } from './traffic.ts';

export interface LocalActorsOptions extends Omit<PackageActorOptions, 'notify'> {
  /** Undefined for a single instance, which owns every package. */
  readonly leases?: Leases;
  readonly onFenced?: (packageId: number) => void;
}

/**
 * For this long after a package was given away, purchases do not activate it here, so that the next owner takes over.
 */
const givenAwayMs = 1_000;

/** The package actors of this instance. */
export class LocalActors implements LocalOwner {
  readonly #options: LocalActorsOptions;
  readonly #runtime: ActorRuntime<PackageMessage, PackageActor>;
  readonly #behaviour: PackageBehaviour;
  readonly #unsubscribe: () => void;
  /** End of the time in which messages for a given-away package are redirected, in ms on the monotonic clock, by package. */
  readonly #givenAway = new Map<number, number>();
  #isHandingOver = false;

  constructor(options: LocalActorsOptions) {
    this.#options = options;
    const notify = (id: number, message: PackageMessage) => this.#runtime.notify(id, message);
    this.#behaviour = new PackageBehaviour({ ...options, notify });
    this.#runtime = new ActorRuntime({ ...options, behaviour: this.#behaviour });
    this.#unsubscribe = options.suppliers.onAvailability((id, available) =>
      notify(id, { kind: 'suppliers', available }),
    );
  }

  send(packageId: number, command: Command, deadlineAt: number): Promise<Answer | NotOwner> {
    return new Promise((resolve) => {
      const isElsewhere = this.#isGivenAway(packageId) || this.#runtime.isPausing(packageId);
      if (this.#isHandingOver || isElsewhere) return resolve({ kind: 'notOwner' });
      const { tracing } = this.#options;
      const message: CommandMessage = { ...command, deadlineAt, caller: resolve };
      if (tracing === undefined) return this.#tell(packageId, message);
      const tracedMessage = traced(tracing, packageId, message);
      // This message may wake an actor that outlives the request, so the actor must not belong to the request's trace.
      tracing.outside(() => this.#tell(packageId, tracedMessage));
    });
  }

  #tell(packageId: number, message: CommandMessage): void {
    const isTaken =
      message.kind === 'purchase'
        ? this.#runtime.tellIfInTime(packageId, message)
        : this.#runtime.tell(packageId, message);
    if (!isTaken) message.caller({ kind: 'refused', code: 'overloaded' });
  }

  withdraw(packageId: number, orderId: string): void {
    this.#runtime.notify(packageId, { kind: 'withdraw', orderId });
  }

  /** Resolves after the first attempt to activate the package. Never rejects. */
  wake(packageId: number): Promise<Attempt> {
    this.#givenAway.delete(packageId);
    return this.#runtime.wake(packageId);
  }

  /** The packages that this instance cannot own, for example because a newer release wrote them. */
  unableIds(): number[] {
    return this.#runtime.unableIds();
  }

  isActive(packageId: number): boolean {
    return this.#runtime.actor(packageId) !== undefined;
  }

  activeIds(): number[] {
    return this.#runtime.activeIds();
  }

  /** The committed, read-only state of a package. Undefined if this instance does not own the package. */
  state(packageId: number): PackageState | undefined {
    return this.#runtime.actor(packageId)?.state;
  }

  /** The current work of this instance. */
  load(): Omit<EngineLoad, 'isDraining'> {
    const packages = this.#runtime.activeIds().flatMap((packageId) => {
      const actor = this.#runtime.actor(packageId);
      if (actor === undefined) return [];
      return [{ packageId, activity: actor.activity(this.#runtime.mailboxSize(packageId)) }];
    });
    return { packages, sagas: this.#behaviour.sagas };
  }

  get mayOwn(): boolean {
    return !this.#isHandingOver;
  }

  /** Ends the actor of a package that was removed. */
  retire(packageId: number): void {
    this.#runtime.retire(packageId);
  }

  async release(packageId: number): Promise<void> {
    this.#givenAway.set(packageId, Number.POSITIVE_INFINITY);
    await this.#runtime.release(packageId);
    this.#givenAway.set(packageId, this.#options.clock.monotonic() + givenAwayMs);
  }

  /** Commits the messages in the mailboxes, then stops. Used when no other instance can take over. */
  async drain(): Promise<void> {
    this.#unsubscribe();
    await this.#runtime.drain();
    this.#isHandingOver = true;
  }

  /** Gives every package away at once, and returns their ids. Used when other instances can take over. */
  handOver(): Promise<number[]> {
    this.#isHandingOver = true;
    this.#unsubscribe();
    return this.#runtime.handOver();
  }

  #isGivenAway(packageId: number): boolean {
    const until = this.#givenAway.get(packageId);
    if (until === undefined) return false;
    if (this.#options.clock.monotonic() < until) return true;
    this.#givenAway.delete(packageId);
    return false;
  }
}

export interface ActorEngineOptions extends LocalActorsOptions, ShellOptions {
  readonly rules: PackageRules;
}

/**
 * Pause before a replaced owner is asked again. The owner notices its replacement when its lease or its next commit
 * fails.
 */
const staleOwnerPauseMs = 100;

/**
 * Interval of the scans of a single instance, which owns every package: they find those that could not be activated
 * before.
 */
const aloneScanMs = 30_000;

/** The members of a cluster without other instances. */
function alone(instance: string): PlacementOptions['messages'] {
  return { members: () => [instance], onMembers: () => () => {}, available: true };
}

/** The actor engine: each purchase goes to its package's mailbox, and is answered after its commit. */
export class ActorEngine extends EngineShell<ActorEngineOptions> {
  /** Requests between instances. Absent for a single instance. */
  readonly peers?: PeerService;
  readonly #local: LocalActors;
  readonly #placement: Placement;
  readonly #router?: Router;
  /**
   * Keys whose purchase waits for its commit. A repeated purchase with such a key must not be refused from a snapshot
   * (rule Q7).
   */
  readonly #keysUnderWay = new UnderWay();
  readonly #unsubscribe: () => void;

  constructor(options: ActorEngineOptions) {
    super(options, options.leases);
    const { liveBus, messages } = options;
    const { commandTimeoutMs } = this;
    const local = new LocalActors(options);
    this.#local = local;
    const cluster = messages ?? alone(options.instance);
    const candidates = new Candidates(() => cluster.members());
    const traffic = new Traffic(options.clock);
    if (messages !== undefined) {
      const peers = new PeerService(messages);
      this.peers = peers;
      this.#router = new Router({
        ...options,
        ...{ messages, local, candidates, traffic, peers, commandTimeoutMs },
        takeOver: (ids) => this.#placement.takeOver(ids),
        noteUnable: (member, ids) => this.#placement.noteUnable(member, ids),
      });
    }
    this.#placement = new Placement({
      ...options,
      ...{ messages: cluster, candidates, traffic, actors: local, store: storeWithWork(options) },
      ...(messages === undefined && { scanMs: aloneScanMs }),
      wakeOn: (member, ids) => this.#router?.wakeOn(member, ids),
      tellUnable: (ids) => this.#router?.tellUnable(ids),
    });
    this.#unsubscribe = liveBus.subscribe({ removed: (packageId) => this.#local.retire(packageId) });
  }

  /** Joins the other instances, and begins to activate packages with unfinished orders. */
  override async start(): Promise<void> {
    await super.start();
    await this.options.messages?.join();
    void this.#placement.run();
  }

  purchase(request: PurchaseRequest): Promise<OrderAnswer> {
    return answered(async () => {
      const { packageId } = request;
      // Only a refusal needs a fresh snapshot. All other purchases are decided by the owner.
      const cached = this.cachedPackages.peek(packageId);
      if (cached !== undefined && this.obstacle(cached) === undefined) {
        const answer = await this.#ask(request);
        // The cached snapshot is outdated. A fresh one lets the next purchase be refused without asking the owner.
        if (answer.kind === 'refused') void this.cachedPackages.get(packageId).catch(() => {});
        return answer;
      }
      const snapshot = await this.cachedPackages.get(packageId);
      if (snapshot === undefined) return refused('unknown_package');
      const early = await this.#answerFrom(snapshot, request);
      return early ?? (await this.#ask(request));
    });
  }

  async cancel(order: Order): Promise<OrderAnswer> {
    const answer = await this.#ofOrder(order.packageId, { kind: 'cancel', orderId: order.id });
    return answer.kind === 'refused' && answer.order === undefined ? { ...answer, order } : answer;
  }

  retry({ id, packageId }: Order): Promise<OrderAnswer> {
    return this.#ofOrder(packageId, { kind: 'retry', orderId: id });
  }

  load(): EngineLoad {
    return { ...this.#local.load(), isDraining: this.isDraining };
  }

  override queuePosition(order: Order): number | undefined {
    const state = this.#local.state(order.packageId);
    return state === undefined ? super.queuePosition(order) : state.queue.position(order.number);
  }

  async drain(): Promise<void> {
    this.isDraining = true;
    this.#placement.stop();
    const hasOthers = this.#hasOthers;
    await this.options.messages?.leave();
    if (hasOthers) {
      this.#router?.wakeOnPreferred(await this.#local.handOver());
    } else {
      await this.#local.drain();
      this.outcomes.close();
    }
  }

  override close(): void {
    this.#unsubscribe();
    super.close();
  }

  protected send(packageId: number, command: Command): Promise<Answer> {
    return this.#router?.send(packageId, command) ?? this.#sendLocally(packageId, command);
  }

  protected async latest(order: Order): Promise<Order> {
    const orders = this.#local.state(order.packageId)?.orders;
    if (orders === undefined) return order;
    return orders.get(order.id) ?? (await this.order(order.id).catch(() => undefined)) ?? order;
  }

  protected withdraw({ id, packageId }: Order): void {
    (this.#router ?? this.#local).withdraw(packageId, id);
  }

  protected get isTransportAvailable(): boolean {
    return this.options.messages?.available ?? true;
  }

  /** Whether another instance can take over this instance's packages. */
  get #hasOthers(): boolean {
    const { messages, instance } = this.options;
    return messages?.members().some((member) => member !== instance) ?? false;
  }

  /** A single instance owns every package, unless it is draining. */
  #sendLocally(packageId: number, command: Command): Promise<Answer> {
    const deadlineAt = this.options.clock.monotonic() + this.commandTimeoutMs;
    return this.#local
      .send(packageId, command, deadlineAt)
      .then((answer) => (answer.kind === 'notOwner' ? refused('no_owner') : answer));
  }

  /**
   * Refuses a purchase without asking the owner. A key is looked up first, because the reply to an accepted purchase
   * may have been lost.
   */
  async #answerFrom(snapshot: PackageSnapshot, request: PurchaseRequest): Promise<OrderAnswer | undefined> {
    const { packageId, key } = request;
    const code = this.obstacle(snapshot);
    if (code === undefined) return undefined;
    if (key !== undefined && this.#keysUnderWay.has(keyName(packageId, key))) return undefined;
    return (await this.answerByKey(request)) ?? refused(code);
  }

  /**
   * Asks the owner. An owner that was replaced without noticing may answer `sold_out` from outdated memory, so that
   * answer counts only if a later read of the store confirms it (rule Q4).
   */
  async #ask(request: PurchaseRequest): Promise<OrderAnswer> {
    const { clock } = this.options;
    const deadlineAt = clock.monotonic() + this.commandTimeoutMs;
    for (;;) {
      const answer = await this.#buy(request);
      if (answer.kind !== 'refused' || answer.code !== 'sold_out') return answer;
      const stored = await this.cachedPackages.reread(request.packageId);
      const code = stored === undefined ? 'unknown_package' : this.obstacle(stored);
      if (code !== undefined) return refused(code);
      this.options.metrics?.staleRefusal();
      if (clock.monotonic() >= deadlineAt) return refused('no_owner');
      await clock.sleep(staleOwnerPauseMs);
    }
  }

  #buy({ packageId, email, key, language }: PurchaseRequest): Promise<OrderAnswer> {
    const orderId = this.newOrderId();
    const answer = this.#ofOrder(packageId, {
      ...{ kind: 'purchase', orderId, email },
      ...(key === undefined ? {} : { key }),
      ...(language === undefined ? {} : { language }),
    });
    return key === undefined ? answer : answer.finally(this.#keysUnderWay.enter(keyName(packageId, key)));
  }

  #ofOrder(packageId: number, command: Command): Promise<OrderAnswer> {
    return this.send(packageId, command).then(accepted);
  }
}

/** Names the packages that need an owner: those with unfinished orders, and those that owe notices. */
function storeWithWork({
  store,
  notifications,
}: Pick<ActorEngineOptions, 'store' | 'notifications'>): PlacementOptions['store'] {
  if (notifications === undefined) return store;
  return {
    async packagesWithUnfinished() {
      const unfinished = await store.packagesWithUnfinished();
      return [...new Set([...unfinished, ...notifications.packagesOwing()])].sort(
        (one, other) => one - other,
      );
    },
  };
}

function accepted(answer: Answer): OrderAnswer {
  return answerOf('accepted', answer);
}

function keyName(packageId: number, key: string): string {
  return `${packageId}:${key}`;
}
