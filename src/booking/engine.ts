import { ActorRuntime } from '../actor/runtime.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { orderIdBytes, orderIdFrom } from '../domain/ids.ts';
import { isSettled, type Order } from '../domain/order.ts';
import type { PackageSnapshot } from '../domain/travel-package.ts';
import type { Accepted, BookingEngine, PurchaseRequest, Refused, Settling } from '../ports/booking-engine.ts';
import type { Leases } from '../ports/lease.ts';
import type { Random } from '../ports/random.ts';
import { type Store, StoreUnavailableError } from '../ports/store.ts';
import { Catalogue } from './catalogue.ts';
import type { Answer, Caller, PackageMessage } from './messages.ts';
import { Outcomes } from './outcomes.ts';
import { type Known, type PackageRules, type Step, saleObstacle } from './package-actor.ts';
import { PackageBehaviour, type PackageBehaviourOptions } from './package-behaviour.ts';
import type { PackageState } from './package-state.ts';

export interface ActorEngineOptions extends Omit<PackageBehaviourOptions, 'notify'> {
  readonly leases: Leases;
  readonly random: Random;
  /** See {@link Catalogue}. */
  readonly snapshotMaxAgeMs: number;
}

/** How long a message may wait for its commit. */
const patienceMs = 8_000;

/** The actor engine: each purchase goes to its package's mailbox, and is answered after its commit. */
export class ActorEngine implements BookingEngine {
  readonly #store: Store;
  readonly #options: ActorEngineOptions;
  readonly #rules: PackageRules;
  readonly #runtime: ActorRuntime<PackageState, PackageMessage, Known, Step>;
  readonly #catalogue: Catalogue;
  readonly #outcomes: Outcomes;
  /** Keys on their way to their first commit: nobody may refuse them from a snapshot (rule Q7). */
  readonly #keysUnderWay = new Map<string, number>();
  readonly #unsubscribe: () => void;
  #isDraining = false;

  constructor(options: ActorEngineOptions) {
    const { store, liveBus, clock, leases, log, suppliers, snapshotMaxAgeMs } = options;
    const notify = (id: number, message: PackageMessage) => this.#runtime.notify(id, message);
    this.#options = options;
    this.#store = store;
    this.#rules = options.rules;
    this.#runtime = new ActorRuntime({
      behaviour: new PackageBehaviour({ ...options, notify }),
      leases,
      clock,
      log,
    });
    this.#catalogue = new Catalogue({ store, liveBus, clock, maxAgeMs: snapshotMaxAgeMs });
    this.#outcomes = new Outcomes(store, liveBus, clock);
    this.#unsubscribe = suppliers.onAvailability((open) => {
      for (const id of this.#runtime.activeIds()) notify(id, { kind: 'gate', open });
    });
  }

  /** Recovers what a former process left: every package with unfinished orders gets its owner back. */
  async start(): Promise<void> {
    await this.#catalogue.all();
    for (const id of await this.#store.packagesWithUnfinished()) this.#runtime.wake(id);
  }

  async purchase(request: PurchaseRequest): Promise<Accepted | Refused> {
    try {
      const snapshot = await this.#catalogue.get(request.packageId);
      if (snapshot === undefined) return { kind: 'refused', code: 'unknown_package' };
      const early = await this.#answerFrom(snapshot, request);
      return early ?? (await this.#buy(request));
    } catch (error) {
      return unavailable(error);
    }
  }

  async cancel(order: Order): Promise<Accepted | Refused> {
    const answer = await this.#ask(order.packageId, (caller, deadlineAt) => ({
      kind: 'cancel',
      orderId: order.id,
      caller,
      deadlineAt,
    }));
    return answer.kind === 'refused' && answer.order === undefined ? { ...answer, order } : answer;
  }

  async outcome(order: Order, settling: Settling): Promise<Order> {
    const latest = await this.#outcomes.wait(await this.#present(order), settling);
    if (settling.gone?.aborted === true && latest.key === undefined && !isSettled(latest)) {
      this.#runtime.notify(latest.packageId, { kind: 'withdraw', orderId: latest.id });
    }
    return latest;
  }

  order(id: string): Promise<Order | undefined> {
    return this.#store.order(id);
  }

  placeInLine(order: Order): number | undefined {
    return this.#runtime.state(order.packageId)?.line.place(order.number);
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

  async missing(): Promise<string[]> {
    if (this.#isDraining) return ['this instance is draining'];
    try {
      await this.#store.ping();
      return [];
    } catch (error) {
      return [`the store does not answer: ${error instanceof Error ? error.message : String(error)}`];
    }
  }

  async drain(): Promise<void> {
    this.#isDraining = true;
    this.#unsubscribe();
    await this.#runtime.drain();
    this.#outcomes.close();
    this.#catalogue.close();
  }

  /** The order as it is now: its outcome may have come between the caller's reading and its waiting. */
  async #present(order: Order): Promise<Order> {
    const orders = this.#runtime.state(order.packageId)?.orders;
    if (orders === undefined || isSettled(order)) return order;
    return orders.get(order.id) ?? (await this.#store.order(order.id).catch(() => undefined)) ?? order;
  }

  /** A refusal needs no hop to the owner, but a key is looked up first: its winner may have lost the reply. */
  async #answerFrom(
    snapshot: PackageSnapshot,
    request: PurchaseRequest,
  ): Promise<Accepted | Refused | undefined> {
    const { package: travelPackage, figures } = snapshot;
    const { clock, suppliers } = this.#options;
    const { waitersPerUnit } = this.#rules;
    const code = saleObstacle(travelPackage, figures, clock.now(), waitersPerUnit, suppliers.available);
    if (code === undefined) return undefined;
    if (request.key === undefined) return { kind: 'refused', code };
    if (this.#keysUnderWay.has(keyName(request.packageId, request.key))) return undefined;
    const [order] = await this.#store.ordersByKey(request.packageId, [request.key]);
    if (order === undefined) return { kind: 'refused', code };
    if (order.email !== request.email) return { kind: 'refused', code: 'key_reused' };
    return { kind: 'accepted', order };
  }

  async #buy({ packageId, email, key }: PurchaseRequest): Promise<Accepted | Refused> {
    const name = key === undefined ? undefined : keyName(packageId, key);
    if (name !== undefined) this.#keysUnderWay.set(name, (this.#keysUnderWay.get(name) ?? 0) + 1);
    try {
      const orderId = orderIdFrom(this.#options.random.bytes(orderIdBytes));
      return await this.#ask(packageId, (caller, deadlineAt) => ({
        kind: 'purchase',
        orderId,
        email,
        ...(key === undefined ? {} : { key }),
        caller,
        deadlineAt,
      }));
    } finally {
      if (name !== undefined) this.#forget(name);
    }
  }

  #forget(name: string): void {
    const others = (this.#keysUnderWay.get(name) ?? 1) - 1;
    if (others === 0) this.#keysUnderWay.delete(name);
    else this.#keysUnderWay.set(name, others);
  }

  async #ask(
    packageId: number,
    message: (caller: Caller, deadlineAt: number) => PackageMessage,
  ): Promise<Accepted | Refused> {
    const answer = await new Promise<Answer>((resolve) => {
      const isTaken = this.#runtime.tell(packageId, message(resolve, this.#options.clock.now() + patienceMs));
      if (!isTaken) resolve({ kind: 'refused', code: 'overloaded' });
    });
    if (answer.kind === 'amended') throw new TypeError('an amendment answered a customer');
    return answer;
  }
}

function keyName(packageId: number, key: string): string {
  return `${packageId}:${key}`;
}

function unavailable(error: unknown): Refused {
  if (!(error instanceof StoreUnavailableError)) throw error;
  const code: ErrorCode = 'store_unavailable';
  return { kind: 'refused', code };
}
