import type { Messages } from '../../cluster/messages.ts';
import type { Erasure, PackageAmendment } from '../../domain/change.ts';
import { keyAnswer, saleObstacle } from '../../domain/decide.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { orderIdBytes, orderIdFrom } from '../../domain/ids.ts';
import { isSettled, type Order } from '../../domain/order.ts';
import { type PackageSnapshot, type TravelPackage, untouched } from '../../domain/travel-package.ts';
import type { Random } from '../../lib/random.ts';
import { noTracing } from '../../observability/tracing.ts';
import { type Store, StoreUnavailableError } from '../../storage/store.ts';
import { answerOf } from '../answers.ts';
import { Catalogue } from '../catalogue.ts';
import type { Command, Route } from '../commands.ts';
import type { Accepted, PurchaseRequest, Refused, Settling } from '../engine.ts';
import { Lines } from '../lines.ts';
import { Readiness } from '../missing.ts';
import type { Amended, EngineLoad, ErasureDone, OperatedEngine } from '../operated-engine.ts';
import { Outcomes } from '../outcomes.ts';
import { LocalActors, type LocalActorsOptions, localRoute } from './local-actors.ts';
import { Placement } from './placement.ts';
import { PeerDesk } from './routing/peers.ts';
import { Router } from './routing/router.ts';

export interface ActorEngineOptions extends LocalActorsOptions {
  readonly random: Random;
  /** See {@link Catalogue}. */
  readonly snapshotMaxAgeMs: number;
  /** The other instances; absent where this is the only one. */
  readonly messages?: Messages;
}

/** How long a command may wait for its commit. */
const patienceMs = 8_000;
/** Until an owner that was replaced is asked again: it notices when its lease or its next commit fails. */
const staleOwnerPauseMs = 100;

/** The actor engine: each purchase goes to its package's mailbox, and is answered after its commit. */
export class ActorEngine implements OperatedEngine {
  readonly #store: Store;
  readonly #options: ActorEngineOptions;
  /** Absent where this is the only instance. */
  readonly peers?: PeerDesk;
  readonly #local: LocalActors;
  readonly #route: Route;
  readonly #placement: Placement | undefined;
  readonly #router: Router | undefined;
  readonly #catalogue: Catalogue;
  readonly #lines: Lines;
  readonly #outcomes: Outcomes;
  readonly #readiness: Readiness;
  /** Keys on their way to their first commit: nobody may refuse them from a snapshot (rule Q7). */
  readonly #keysUnderWay = new Map<string, number>();
  readonly #unsubscribe: () => void;
  #isDraining = false;

  constructor(options: ActorEngineOptions) {
    const { store, liveBus, clock, messages, snapshotMaxAgeMs } = options;
    this.#options = options;
    this.#store = store;
    const members = messages && { members: () => messages.members() };
    this.#local = new LocalActors({ ...options, ...members });
    if (messages !== undefined) this.peers = new PeerDesk(messages);
    this.#router = messages && this.#createRouter(messages);
    this.#route = this.#router ?? localRoute(this.#local, () => clock.now(), patienceMs);
    this.#placement = messages && this.#createPlacement(messages);
    this.#catalogue = new Catalogue({ store, liveBus, clock, maxAgeMs: snapshotMaxAgeMs });
    this.#lines = new Lines(liveBus);
    this.#outcomes = new Outcomes(store, liveBus, clock);
    this.#unsubscribe = liveBus.subscribe({ removed: (packageId) => this.#local.retire(packageId) });
    this.#readiness = new Readiness({ store, clock, leases: options.leases });
  }

  /** Recovers what a former process left: every package with unfinished orders gets its owner back. */
  async start(): Promise<void> {
    await this.#catalogue.all();
    await this.#options.messages?.join();
    if (this.#placement !== undefined) void this.#placement.run();
    else for (const id of await this.#store.packagesWithUnfinished()) this.#local.wake(id);
  }

  async purchase(request: PurchaseRequest): Promise<Accepted | Refused> {
    try {
      const { packageId } = request;
      // Only a refusal wants a fresh snapshot: whatever is let through, the owner decides.
      const glanced = this.#catalogue.glance(packageId);
      if (glanced !== undefined && this.#obstacleIn(glanced) === undefined) {
        const answer = await this.#ask(request);
        // The glance was wrong: others shall not have to ask the owner for the same answer.
        if (answer.kind === 'refused') void this.#catalogue.get(packageId).catch(() => {});
        return answer;
      }
      const snapshot = await this.#catalogue.get(packageId);
      if (snapshot === undefined) return { kind: 'refused', code: 'unknown_package' };
      const early = await this.#answerFrom(snapshot, request);
      return early ?? (await this.#ask(request));
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      return { kind: 'refused', code: 'store_unavailable' };
    }
  }

  async cancel(order: Order): Promise<Accepted | Refused> {
    const answer = await this.#send(order.packageId, { kind: 'cancel', orderId: order.id });
    return answer.kind === 'refused' && answer.order === undefined ? { ...answer, order } : answer;
  }

  async amend(packageId: number, change: PackageAmendment): Promise<Amended | Refused> {
    const answer = await this.#route.send(packageId, { kind: 'amend', ...change });
    return answerOf('amended', answer);
  }

  async retry({ id, packageId }: Order): Promise<Accepted | Refused> {
    const answer = await this.#route.send(packageId, { kind: 'retry', orderId: id });
    return answerOf('accepted', answer);
  }

  async erase(
    packageId: number,
    email: string,
    erasures: readonly Erasure[],
  ): Promise<ErasureDone | Refused> {
    const answer = await this.#route.send(packageId, { kind: 'erase', email, erasures });
    return answerOf('erased', answer);
  }

  added(travelPackage: TravelPackage): void {
    const figures = untouched(travelPackage.quota);
    this.#options.liveBus.publishPackage({ package: travelPackage, figures });
  }

  removed(packageId: number): void {
    this.#options.liveBus.publishRemoved(packageId);
  }

  load(): EngineLoad {
    return { ...this.#local.load(), isDraining: this.#isDraining };
  }

  async outcome(order: Order, settling: Settling): Promise<Order> {
    const latest = await this.#outcomes.wait(await this.#present(order), settling);
    if (settling.gone?.aborted === true && latest.key === undefined && !isSettled(latest)) {
      this.#route.withdraw(latest.packageId, latest.id);
    }
    return latest;
  }

  order(id: string): Promise<Order | undefined> {
    return this.#store.order(id);
  }

  orders(ids: readonly string[]): Promise<Order[]> {
    return this.#store.orders(ids);
  }

  ordersByKey(packageId: number, keys: readonly string[]): Promise<Order[]> {
    return this.#store.ordersByKey(packageId, keys);
  }

  placeInLine(order: Order): number | undefined {
    const state = this.#local.state(order.packageId);
    return state === undefined
      ? this.#lines.place(order.packageId, order.number)
      : state.line.place(order.number);
  }

  packages(): Promise<readonly PackageSnapshot[]> {
    return this.#catalogue.all();
  }

  package(id: number): Promise<PackageSnapshot | undefined> {
    return this.#catalogue.get(id);
  }

  get suppliersAvailable(): boolean {
    return this.#options.suppliers.available;
  }

  missing(): Promise<string[]> {
    const isCarrierAvailable = this.#options.messages?.available ?? true;
    return this.#readiness.missing({ isDraining: this.#isDraining, isCarrierAvailable });
  }

  async drain(): Promise<void> {
    this.#isDraining = true;
    this.#placement?.stop();
    const hasOthers = this.#hasOthers;
    await this.#options.messages?.leave();
    if (hasOthers) {
      this.#router?.wakeElsewhere(await this.#local.handOver());
    } else {
      await this.#local.drain();
      this.#outcomes.close();
    }
  }

  close(): void {
    this.#unsubscribe();
    this.#outcomes.close();
    this.#catalogue.close();
    this.#lines.close();
  }

  /** Whether there is anybody to go on with what this instance leaves. */
  get #hasOthers(): boolean {
    const { messages, instance } = this.#options;
    return messages?.members().some((member) => member !== instance) ?? false;
  }

  #createRouter(messages: Messages): Router {
    const { instance, clock, log, store, tracing = noTracing } = this.#options;
    const ownerInStore = (id: number) => store.owner(id);
    const peers = this.peers === undefined ? {} : { peers: this.peers };
    const local = this.#local;
    return new Router({ instance, messages, local, ownerInStore, clock, log, tracing, patienceMs, ...peers });
  }

  #createPlacement(messages: Messages): Placement {
    const { instance, clock, log, store } = this.#options;
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

  /** The order as it is now: its outcome may have come between the caller's reading and its waiting. */
  async #present(order: Order): Promise<Order> {
    const orders = this.#local.state(order.packageId)?.orders;
    if (orders === undefined || isSettled(order)) return order;
    return orders.get(order.id) ?? (await this.#store.order(order.id).catch(() => undefined)) ?? order;
  }

  #obstacleIn({ package: travelPackage, figures }: PackageSnapshot): ErrorCode | undefined {
    const { clock, suppliers, rules } = this.#options;
    return saleObstacle(travelPackage, figures, clock.now(), rules.waitersPerUnit, suppliers.available);
  }

  /** A refusal needs no hop to the owner, but a key is looked up first: its winner may have lost the reply. */
  async #answerFrom(
    snapshot: PackageSnapshot,
    request: PurchaseRequest,
  ): Promise<Accepted | Refused | undefined> {
    const code = this.#obstacleIn(snapshot);
    if (code === undefined) return undefined;
    if (request.key === undefined) return { kind: 'refused', code };
    if (this.#keysUnderWay.has(keyName(request.packageId, request.key))) return undefined;
    const [order] = await this.#store.ordersByKey(request.packageId, [request.key]);
    return keyAnswer(order, request.email) ?? { kind: 'refused', code };
  }

  /**
   * Asks the owner. It says sold out from memory, and may have been replaced without having noticed: its word counts
   * once the store, read after it, says the same (rule Q4).
   */
  async #ask(request: PurchaseRequest): Promise<Accepted | Refused> {
    const { clock } = this.#options;
    const deadlineAt = clock.now() + patienceMs;
    for (;;) {
      const answer = await this.#buy(request);
      if (answer.kind !== 'refused' || answer.code !== 'sold_out') return answer;
      const stored = await this.#catalogue.reread(request.packageId);
      const code = stored === undefined ? 'unknown_package' : this.#obstacleIn(stored);
      if (code !== undefined) return { kind: 'refused', code };
      this.#options.metrics?.staleRefusal();
      if (clock.now() >= deadlineAt) return { kind: 'refused', code: 'no_owner' };
      await clock.sleep(staleOwnerPauseMs);
    }
  }

  async #buy({ packageId, email, key }: PurchaseRequest): Promise<Accepted | Refused> {
    const orderId = orderIdFrom(this.#options.random.bytes(orderIdBytes));
    if (key === undefined) return this.#send(packageId, { kind: 'purchase', orderId, email });
    const name = keyName(packageId, key);
    this.#keysUnderWay.set(name, (this.#keysUnderWay.get(name) ?? 0) + 1);
    try {
      return await this.#send(packageId, { kind: 'purchase', orderId, email, key });
    } finally {
      const others = (this.#keysUnderWay.get(name) ?? 1) - 1;
      if (others === 0) this.#keysUnderWay.delete(name);
      else this.#keysUnderWay.set(name, others);
    }
  }

  async #send(packageId: number, command: Command): Promise<Accepted | Refused> {
    return answerOf('accepted', await this.#route.send(packageId, command));
  }
}

function keyName(packageId: number, key: string): string {
  return `${packageId}:${key}`;
}
