import type { Messages } from '../../cluster/messages.ts';
import type { PackageRules } from '../../domain/decide.ts';
import type { Answer, OrderAnswer } from '../../domain/messages.ts';
import type { Order } from '../../domain/order.ts';
import type { PackageSnapshot } from '../../domain/travel-package.ts';
import { UnderWay } from '../../lib/under-way.ts';
import { noTracing } from '../../observability/tracing.ts';
import type { Command, Route } from '../commands.ts';
import { answered, answerOf, refused } from '../commands.ts';
import type { PurchaseRequest } from '../engine.ts';
import type { EngineLoad } from '../operated-engine.ts';
import { EngineShell, type ShellOptions } from '../shell.ts';
import { LocalActors, type LocalActorsOptions, localRoute } from './local-actors.ts';
import { Placement } from './placement.ts';
import { PeerService } from './routing/peers.ts';
import { Router } from './routing/router.ts';

export interface ActorEngineOptions extends LocalActorsOptions, ShellOptions {
  readonly rules: PackageRules;
  /** The transport to the other instances; absent for a single instance. */
  readonly messages?: Messages;
}

/** Pause before a replaced owner is asked again. It notices when its lease or its next commit fails. */
const staleOwnerPauseMs = 100;

/** The actor engine: each purchase goes to its package's mailbox, and is answered after its commit. */
export class ActorEngine extends EngineShell<ActorEngineOptions> {
  /** Absent for a single instance. */
  readonly peers?: PeerService;
  readonly #local: LocalActors;
  readonly #route: Route;
  readonly #placement: Placement | undefined;
  readonly #router: Router | undefined;
  /** Keys whose purchase waits for its commit. They must not be refused from a snapshot (rule Q7). */
  readonly #keysUnderWay = new UnderWay();
  readonly #unsubscribe: () => void;

  constructor(options: ActorEngineOptions) {
    super(options, options.leases);
    const { liveBus, clock, messages } = options;
    const members = messages && { members: () => messages.members() };
    this.#local = new LocalActors({ ...options, ...members });
    if (messages !== undefined) this.peers = new PeerService(messages);
    this.#router = messages && this.#createRouter(messages);
    this.#route = this.#router ?? localRoute(this.#local, () => clock.now(), this.commandTimeoutMs);
    this.#placement = messages && this.#createPlacement(messages);
    this.#unsubscribe = liveBus.subscribe({ removed: (packageId) => this.#local.retire(packageId) });
  }

  /** Activates every package with unfinished orders, or lets placement do so if there are other instances. */
  override async start(): Promise<void> {
    await super.start();
    await this.options.messages?.join();
    if (this.#placement !== undefined) void this.#placement.run();
    else for (const id of await this.options.store.packagesWithUnfinished()) this.#local.wake(id);
  }

  purchase(request: PurchaseRequest): Promise<OrderAnswer> {
    return answered(async () => {
      const { packageId } = request;
      // Only a refusal needs a fresh snapshot. The owner decides all other purchases.
      const glanced = this.packageCache.peek(packageId);
      if (glanced !== undefined && this.obstacle(glanced) === undefined) {
        const answer = await this.#ask(request);
        // The cached snapshot is outdated. A fresh one lets the next purchase be refused without asking the owner.
        if (answer.kind === 'refused') void this.packageCache.get(packageId).catch(() => {});
        return answer;
      }
      const snapshot = await this.packageCache.get(packageId);
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
    this.#placement?.stop();
    const hasOthers = this.#hasOthers;
    await this.options.messages?.leave();
    if (hasOthers) {
      this.#router?.wakeElsewhere(await this.#local.handOver());
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
    return this.#route.send(packageId, command);
  }

  protected async latest(order: Order): Promise<Order> {
    const orders = this.#local.state(order.packageId)?.orders;
    if (orders === undefined) return order;
    return orders.get(order.id) ?? (await this.order(order.id).catch(() => undefined)) ?? order;
  }

  protected withdraw({ id, packageId }: Order): void {
    this.#route.withdraw(packageId, id);
  }

  protected get isTransportAvailable(): boolean {
    return this.options.messages?.available ?? true;
  }

  /** Whether another instance can take over the packages of this one. */
  get #hasOthers(): boolean {
    const { messages, instance } = this.options;
    return messages?.members().some((member) => member !== instance) ?? false;
  }

  #createRouter(messages: Messages): Router {
    const { instance, clock, log, store, tracing = noTracing } = this.options;
    const { commandTimeoutMs } = this;
    const ownerInStore = (id: number) => store.owner(id);
    const peers = this.peers === undefined ? {} : { peers: this.peers };
    const local = this.#local;
    return new Router({
      instance,
      messages,
      local,
      ownerInStore,
      clock,
      log,
      tracing,
      commandTimeoutMs,
      ...peers,
    });
  }

  #createPlacement(messages: Messages): Placement {
    const { instance, clock, log, store } = this.options;
    return new Placement({
      instance,
      messages,
      actors: this.#local,
      unfinished: () => store.packagesWithUnfinished(),
      wakeElsewhere: (ids) => this.#router?.wakeElsewhere(ids),
      clock,
      log,
    });
  }

  /** Refuses without asking the owner. A key is looked up first, because its reply may have been lost. */
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
    const deadlineAt = clock.now() + this.commandTimeoutMs;
    for (;;) {
      const answer = await this.#buy(request);
      if (answer.kind !== 'refused' || answer.code !== 'sold_out') return answer;
      const stored = await this.packageCache.reread(request.packageId);
      const code = stored === undefined ? 'unknown_package' : this.obstacle(stored);
      if (code !== undefined) return refused(code);
      this.options.metrics?.staleRefusal();
      if (clock.now() >= deadlineAt) return refused('no_owner');
      await clock.sleep(staleOwnerPauseMs);
    }
  }

  async #buy({ packageId, email, key }: PurchaseRequest): Promise<OrderAnswer> {
    const orderId = this.newOrderId();
    if (key === undefined) return this.#ofOrder(packageId, { kind: 'purchase', orderId, email });
    const name = keyName(packageId, key);
    const leave = this.#keysUnderWay.enter(name);
    try {
      return await this.#ofOrder(packageId, { kind: 'purchase', orderId, email, key });
    } finally {
      leave();
    }
  }

  async #ofOrder(packageId: number, command: Command): Promise<OrderAnswer> {
    return answerOf('accepted', await this.send(packageId, command));
  }
}

function keyName(packageId: number, key: string): string {
  return `${packageId}:${key}`;
}
