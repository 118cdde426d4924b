import type { Leases } from '../../cluster/lease.ts';
import type { Answer, NotOwner, PackageMessage } from '../../domain/messages.ts';
import type { PackageState } from '../../domain/package-state.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Tracing } from '../../observability/tracing.ts';
import { traced } from '../../saga/order-traces.ts';
import { type Command, type CommandMessage, type Route, toMessage } from '../commands.ts';
import type { EngineLoad } from '../operated-engine.ts';
import { type PackageActor, type PackageActorOptions, PackageBehaviour } from './package-actor.ts';
import { ActorRuntime } from './runtime.ts';

export interface LocalActorsOptions extends Omit<PackageActorOptions, 'notify'> {
  readonly leases: Leases;
  readonly onFenced?: (packageId: number) => void;
}

/** A package that was given away is not activated here again by a purchase for this long, so that its next owner can. */
const givenAwayMs = 1_000;

/** The package actors of this instance. */
export class LocalActors {
  readonly #runtime: ActorRuntime<PackageMessage, PackageActor>;
  readonly #behaviour: PackageBehaviour;
  readonly #unsubscribe: () => void;
  readonly #clock: Clock;
  readonly #tracing: Tracing | undefined;
  /** Until when messages for these packages are redirected, in ms since the epoch. */
  readonly #givenAway = new Map<number, number>();
  #isHandingOver = false;

  constructor(options: LocalActorsOptions) {
    this.#clock = options.clock;
    this.#tracing = options.tracing;
    const notify = (id: number, message: PackageMessage) => this.#runtime.notify(id, message);
    this.#behaviour = new PackageBehaviour({ ...options, notify });
    this.#runtime = new ActorRuntime({ ...options, behaviour: this.#behaviour });
    this.#unsubscribe = options.suppliers.onAvailability((available) => {
      for (const id of this.#runtime.activeIds()) notify(id, { kind: 'suppliers', available });
    });
  }

  /** Resolves after the commit, or with `notOwner` if another instance owns the package. */
  send(packageId: number, command: Command, deadlineAt: number): Promise<Answer | NotOwner> {
    return new Promise((resolve) => {
      if (this.#isHandingOver || this.#isGivenAway(packageId)) return resolve({ kind: 'notOwner' });
      const tracing = this.#tracing;
      if (tracing === undefined) return this.#tell(packageId, toMessage(command, deadlineAt, resolve));
      const message = traced(tracing, packageId, toMessage(command, deadlineAt, resolve));
      // The actor that this message wakes outlives the request, so it must not belong to the request's trace.
      tracing.outside(() => this.#tell(packageId, message));
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

  wake(packageId: number): void {
    this.#givenAway.delete(packageId);
    this.#runtime.wake(packageId);
  }

  isActive(packageId: number): boolean {
    return this.#runtime.actor(packageId) !== undefined;
  }

  activeIds(): number[] {
    return this.#runtime.activeIds();
  }

  /** The committed state of a package that is owned here, to read only. */
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

  /** The package was removed. */
  retire(packageId: number): void {
    this.#runtime.retire(packageId);
  }

  async release(packageId: number): Promise<void> {
    this.#givenAway.set(packageId, Number.POSITIVE_INFINITY);
    await this.#runtime.release(packageId);
    this.#givenAway.set(packageId, this.#clock.now() + givenAwayMs);
  }

  /** Commits what is in the mailboxes, then stops. For the last instance. */
  async drain(): Promise<void> {
    this.#unsubscribe();
    await this.#runtime.drain();
    this.#isHandingOver = true;
  }

  /** Gives every package away at once; returns their ids. For one of several instances. */
  handOver(): Promise<number[]> {
    this.#isHandingOver = true;
    this.#unsubscribe();
    return this.#runtime.handOver();
  }

  #isGivenAway(packageId: number): boolean {
    const until = this.#givenAway.get(packageId);
    if (until === undefined) return false;
    if (this.#clock.now() < until) return true;
    this.#givenAway.delete(packageId);
    return false;
  }
}

/** The route of a single instance, which owns every package. */
export function localRoute(local: LocalActors, now: () => number, commandTimeoutMs: number): Route {
  return {
    send: async (packageId, command) => {
      const answer = await local.send(packageId, command, now() + commandTimeoutMs);
      return answer.kind === 'notOwner' ? { kind: 'refused', code: 'no_owner' } : answer;
    },
    withdraw: (packageId, orderId) => local.withdraw(packageId, orderId),
  };
}
