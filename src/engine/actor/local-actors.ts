import type { Leases } from '../../cluster/lease.ts';
import type { Lookups, Step } from '../../domain/decide.ts';
import type { Answer, NotOwner, PackageMessage } from '../../domain/messages.ts';
import type { PackageState } from '../../domain/package-state.ts';
import type { Clock } from '../../lib/clock.ts';
import { noTracing, type Tracing } from '../../observability/tracing.ts';
import { traced } from '../../saga/order-traces.ts';
import { type Command, type Route, toMessage } from '../commands.ts';
import type { EngineLoad } from '../operated-engine.ts';
import { PackageBehaviour, type PackageBehaviourOptions } from './package-behaviour.ts';
import { ActorRuntime } from './runtime.ts';

export interface LocalActorsOptions extends Omit<PackageBehaviourOptions, 'notify'> {
  readonly leases: Leases;
  readonly onFenced?: (packageId: number) => void;
}

/** A package that was given away is not taken back for a customer's sake before its next owner had time to take it. */
const givenAwayMs = 1_000;

/** The package actors of this instance. */
export class LocalActors {
  readonly #runtime: ActorRuntime<PackageState, PackageMessage, Lookups, Step>;
  readonly #behaviour: PackageBehaviour;
  readonly #unsubscribe: () => void;
  readonly #clock: Clock;
  readonly #tracing: Tracing;
  /** Until when customers of these packages are sent elsewhere. */
  readonly #givenAway = new Map<number, number>();
  #isHandingOver = false;

  constructor(options: LocalActorsOptions) {
    this.#clock = options.clock;
    this.#tracing = options.tracing ?? noTracing;
    const notify = (id: number, message: PackageMessage) => this.#runtime.notify(id, message);
    this.#behaviour = new PackageBehaviour({ ...options, notify });
    this.#runtime = new ActorRuntime({ ...options, behaviour: this.#behaviour });
    this.#unsubscribe = options.suppliers.onAvailability((available) => {
      for (const id of this.#runtime.activeIds()) notify(id, { kind: 'suppliers', available });
    });
  }

  /** Answers after the commit, or `elsewhere` when another instance owns the package. */
  send(packageId: number, command: Command, deadlineAt: number): Promise<Answer | NotOwner> {
    return new Promise((resolve) => {
      if (this.#isHandingOver || this.#isGivenAway(packageId)) return resolve({ kind: 'notOwner' });
      const message = traced(this.#tracing, packageId, toMessage(command, deadlineAt, resolve));
      // Whoever wakes an actor is answered long before it sleeps again.
      const isTaken = this.#tracing.outside(() =>
        message.kind === 'purchase'
          ? this.#runtime.tellIfInTime(packageId, message)
          : this.#runtime.tell(packageId, message),
      );
      if (!isTaken) message.caller({ kind: 'refused', code: 'overloaded' });
    });
  }

  withdraw(packageId: number, orderId: string): void {
    this.#runtime.notify(packageId, { kind: 'withdraw', orderId });
  }

  wake(packageId: number): void {
    this.#givenAway.delete(packageId);
    this.#runtime.wake(packageId);
  }

  isActive(packageId: number): boolean {
    return this.#runtime.isActive(packageId);
  }

  activeIds(): number[] {
    return this.#runtime.activeIds();
  }

  /** The committed present of a package that is owned here, to read only. */
  state(packageId: number): PackageState | undefined {
    return this.#runtime.state(packageId);
  }

  /** What goes on here at this moment. */
  load(): Omit<EngineLoad, 'isDraining'> {
    const packages = this.#runtime.activeIds().flatMap((packageId) => {
      const state = this.#runtime.state(packageId);
      const mailbox = this.#runtime.mailboxSize(packageId);
      const activity = state && this.#behaviour.activity(state, mailbox);
      return activity === undefined ? [] : [{ packageId, activity }];
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

  /** For the last instance: commits what has come in, then stops. */
  async drain(): Promise<void> {
    this.#unsubscribe();
    await this.#runtime.drain();
    this.#isHandingOver = true;
  }

  /** For one of several: gives every package away at once; returns their ids. */
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

/** The route of a single instance: every package is owned here. */
export function localRoute(local: LocalActors, now: () => number, commandTimeoutMs: number): Route {
  return {
    send: async (packageId, command) => {
      const answer = await local.send(packageId, command, now() + commandTimeoutMs);
      return answer.kind === 'notOwner' ? { kind: 'refused', code: 'no_owner' } : answer;
    },
    withdraw: (packageId, orderId) => local.withdraw(packageId, orderId),
  };
}
