import pLimit, { type LimitFunction } from 'p-limit';
import { decide, type Lookups, type PackageRules, type Step } from '../../domain/decide.ts';
import { type Answer, type CommandMessage, inDoubt, type PackageMessage } from '../../domain/messages.ts';
import { PackageState } from '../../domain/package-state.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { type Metrics, noMetrics } from '../../observability/metrics.ts';
import type { LiveBus } from '../../realtime/live-bus.ts';
import {
  CommitUnknownError,
  FencedError,
  type OrderSelection,
  type Store,
  StoreUnavailableError,
  type VersionedPackage,
} from '../../storage/store.ts';
import {
  ContendedError,
  loadLookups,
  measuredCommit,
  publishChange,
  UnknownPackageError,
} from '../commands.ts';

export interface Limits {
  /** After this time no further attempt begins. In ms on the monotonic clock. */
  readonly until?: number;
  /** Once this signal aborts, no further attempt begins. */
  readonly signal?: AbortSignal;
}

export interface Transaction extends Limits {
  readonly packageId: number;
  /** The unfinished orders of the package that the decision may change. */
  readonly wanted?: OrderSelection;
  /** Makes the messages for each attempt. Results of sagas carry the given epoch. */
  readonly messages: (epoch: number) => readonly PackageMessage[];
  /** Overrides rules for this transaction. */
  readonly rules?: Partial<PackageRules>;
  /** Called before each decision. False ends the transaction: nothing is stored, and no caller is answered. */
  readonly isWanted?: (versioned: VersionedPackage, lookups: Lookups) => boolean;
}

export interface TransactionResult {
  /** The package and the orders from which the step was decided. */
  readonly versioned: VersionedPackage;
  /** The stored step. It has no effects if the transaction was not wanted. */
  readonly step: Step;
}

export interface TransactionOptions {
  readonly store: Pick<Store, 'versionedPackage' | 'commit' | 'order' | 'ordersByKey' | 'liveOrdersByEmail'>;
  readonly liveBus: LiveBus;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics?: Metrics;
  readonly rules: PackageRules;
  /** Whether units may be claimed. False while the suppliers are away. */
  readonly suppliersAvailable: (packageId: number) => boolean;
  /** Called when the queue of a package has changed. */
  readonly onQueueChange?: (packageId: number) => void;
}

const pauseFirstMs = 4;
const pauseMaxMs = 200;

/**
 * Changes packages without an owner: reads the package, decides, and commits on condition of the fence that was read.
 * If another process was quicker, the transaction reads and decides again. Each decision thus applies to the state for
 * which it was made, and no lock is needed (rules Q1, Q3).
 */
export class OptimisticTransactions {
  readonly #options: TransactionOptions;
  /**
   * Runs one transaction at a time per package, so that transactions of this process do not contend. By package, while
   * transactions of the package are under way.
   */
  readonly #turns = new Map<number, LimitFunction>();

  constructor(options: TransactionOptions) {
    this.#options = options;
  }

  /** Packages with transactions under way. */
  get packages(): number {
    return this.#turns.size;
  }

  /**
   * Answers the callers of the messages once the step is stored.
   * @throws ContendedError when the limits are reached.
   * @throws UnknownPackageError when there is no such package.
   * @throws StoreUnavailableError when the store cannot be read.
   */
  async run(transaction: Transaction): Promise<TransactionResult> {
    const { packageId } = transaction;
    const turns = this.#turns.get(packageId) ?? pLimit(1);
    this.#turns.set(packageId, turns);
    try {
      return await turns(() => this.#run(transaction));
    } finally {
      if (turns.activeCount + turns.pendingCount === 0) this.#turns.delete(packageId);
    }
  }

  /** Runs one message and returns its answer; undefined when the transaction was not wanted. Throws as `run` does. */
  async ask(
    message: CommandMessage,
    transaction: Omit<Transaction, 'messages'>,
  ): Promise<Answer | undefined> {
    const { step } = await this.run({ ...transaction, messages: () => [message] });
    return step.effects.find((effect) => effect.kind === 'answer')?.answer;
  }

  async #run(transaction: Transaction): Promise<TransactionResult> {
    const { packageId, wanted, until = Number.POSITIVE_INFINITY, signal } = transaction;
    const { store, clock, random } = this.#options;
    let isInDoubt = false;
    for (let pauseMs = pauseFirstMs; ; pauseMs = Math.min(pauseMs * 2, pauseMaxMs)) {
      if (signal?.aborted === true || clock.monotonic() > until)
        throw new ContendedError('no time is left to commit');
      const versioned = await store.versionedPackage(packageId, wanted);
      if (versioned === undefined) throw new UnknownPackageError(`there is no package ${packageId}`);
      const step = await this.#decide(versioned, transaction, isInDoubt);
      try {
        await this.#commit(versioned, step);
      } catch (error) {
        if (!mayPass(error)) throw error;
        isInDoubt ||= error instanceof CommitUnknownError;
        await clock.sleep(random.fraction() * pauseMs, signal);
        continue;
      }
      for (const effect of step.effects) if (effect.kind === 'answer') effect.caller(effect.answer);
      return { versioned, step };
    }
  }

  async #decide(versioned: VersionedPackage, transaction: Transaction, isInDoubt: boolean): Promise<Step> {
    const { store, clock, suppliersAvailable } = this.#options;
    const rules = { ...this.#options.rules, ...transaction.rules };
    const messages = transaction.messages(versioned.fence.epoch);
    const batch = isInDoubt ? inDoubt(messages) : messages;
    const orders = new Map(versioned.orders.map((order) => [order.id, order]));
    const loaded = await loadLookups(store, rules, { package: versioned.package, orders }, batch);
    const lookups = { ...loaded, byId: new Map([...loaded.byId, ...orders]) };
    const state = new PackageState(
      { ...versioned, unfinished: versioned.orders },
      suppliersAvailable(transaction.packageId),
    );
    if (transaction.isWanted?.(versioned, lookups) === false)
      return { change: undefined, suppliersAvailable: state.suppliersAvailable, effects: [] };
    return decide(state, batch, lookups, { now: clock.now(), monotonic: clock.monotonic() }, rules);
  }

  async #commit({ package: before, inventory, fence }: VersionedPackage, { change }: Step): Promise<void> {
    if (change === undefined) return;
    const { store, liveBus, onQueueChange, metrics = noMetrics } = this.#options;
    await measuredCommit(metrics, () => store.commit(before.id, fence, change));
    metrics.committed(change);
    publishChange(liveBus, change.package ?? before, change);
    if (change.inventory.waiting !== inventory.waiting) onQueueChange?.(before.id);
  }
}

function mayPass(error: unknown): boolean {
  return (
    error instanceof FencedError ||
    error instanceof CommitUnknownError ||
    error instanceof StoreUnavailableError
  );
}
