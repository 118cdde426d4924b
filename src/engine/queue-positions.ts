import { Positions, runsOf } from '../domain/number-runs.ts';
import type { PackageState } from '../domain/package-state.ts';
import type { AbortState } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import type { LiveBus, QueueSnapshot } from '../realtime/live-bus.ts';
import type { Store } from '../storage/store.ts';
import type { EstimatedWait } from './engine.ts';
import { QueuePace } from './queue-pace.ts';

interface HeardQueue {
  readonly first: readonly number[];
  /** Undefined until the whole queue was heard. */
  readonly all: Positions | undefined;
  readonly pace: QueuePace;
}

/**
 * The last published queue of each package, and how fast it moves. An owner answers positions from its memory instead.
 */
export class QueuePositions {
  readonly #clock: Clock;
  readonly #queues = new Map<number, HeardQueue>();
  readonly #unsubscribe: () => void;

  constructor(liveBus: LiveBus, clock: Clock) {
    this.#clock = clock;
    this.#unsubscribe = liveBus.subscribe({ queue: (snapshot) => this.#hear(snapshot) });
  }

  /** The position of an order's number in its queue, from 1; undefined if the position is not known. */
  position(packageId: number, number: number): number | undefined {
    const queue = this.#queues.get(packageId);
    if (queue === undefined) return undefined;
    const inFirst = queue.first.indexOf(number);
    return inFirst >= 0 ? inFirst + 1 : queue.all?.of(number);
  }

  /** The estimated wait at a position of a queue, from 1; undefined while it is not known. */
  estimatedWait(packageId: number, position: number): EstimatedWait | undefined {
    return this.#queues.get(packageId)?.pace.estimate(position, this.#clock.monotonic());
  }

  close(): void {
    this.#unsubscribe();
  }

  #hear({ packageId, first, all }: QueueSnapshot): void {
    if (first.length === 0) {
      // The pace is forgotten too: while nobody waits, nobody can depart.
      this.#queues.delete(packageId);
      return;
    }
    const known = this.#queues.get(packageId);
    const now = this.#clock.monotonic();
    const pace = known?.pace ?? new QueuePace(first, now);
    pace.hear(first, known?.all, now);
    this.#queues.set(packageId, { first, all: all === undefined ? known?.all : new Positions(all), pace });
  }
}

/** The first orders of a queue get every change of their position. The others get their position once a second. */
const firstMax = 20;
const wholeEveryMs = 1_000;
/** The shortest interval between two reads of a stored queue. */
const readEveryMs = 200;
/** The most orders in one read. In a longer queue, the position of a later order is not published. */
const readMax = 10_000;

/** Publishes the queue of an active package, which is in memory. */
export class QueuePublisher {
  readonly #bus: LiveBus;
  readonly #clock: Clock;
  #wholeAt = Number.NEGATIVE_INFINITY;
  #isWholeDue = false;

  constructor(bus: LiveBus, clock: Clock) {
    this.#bus = bus;
    this.#clock = clock;
  }

  publish(state: PackageState, signal: AbortState): void {
    const packageId = state.package.id;
    const first = state.queue.first(firstMax);
    if (state.queue.size <= firstMax)
      return this.#bus.publishQueue({ packageId, first, all: state.queue.runs() });
    const sinceWholeMs = this.#clock.monotonic() - this.#wholeAt;
    if (sinceWholeMs >= wholeEveryMs) return this.#publishWhole(state);
    this.#bus.publishQueue({ packageId, first });
    if (!this.#isWholeDue) void this.#publishWholeAfter(wholeEveryMs - sinceWholeMs, state, signal);
  }

  async #publishWholeAfter(ms: number, state: PackageState, signal: AbortState): Promise<void> {
    this.#isWholeDue = true;
    await this.#clock.sleep(ms, signal);
    this.#isWholeDue = false;
    if (!signal.aborted) this.#publishWhole(state);
  }

  #publishWhole(state: PackageState): void {
    this.#wholeAt = this.#clock.monotonic();
    const { queue } = state;
    const { id: packageId } = state.package;
    this.#bus.publishQueue({ packageId, first: queue.first(firstMax), all: queue.runs() });
  }
}

export interface StoredQueuePublisherOptions {
  readonly store: Pick<Store, 'versionedPackage'>;
  readonly liveBus: LiveBus;
  readonly clock: Clock;
}

/** Publishes queues that no process has in memory, by reading them from the store. */
export class StoredQueuePublisher {
  readonly #options: StoredQueuePublisherOptions;
  /** Packages whose queue is being published. The value is true if the queue has changed since the last read. */
  readonly #busy = new Map<number, boolean>();

  constructor(options: StoredQueuePublisherOptions) {
    this.#options = options;
  }

  /** Notes that the queue of a package has changed. */
  changed(packageId: number): void {
    const isBusy = this.#busy.has(packageId);
    this.#busy.set(packageId, true);
    if (!isBusy) void this.#publish(packageId);
  }

  async #publish(packageId: number): Promise<void> {
    const { clock } = this.#options;
    let wholeAt = Number.NEGATIVE_INFINITY;
    while (this.#busy.get(packageId) === true) {
      this.#busy.set(packageId, false);
      const isWhole = clock.monotonic() - wholeAt >= wholeEveryMs;
      if (isWhole) wholeAt = clock.monotonic();
      // A failed read needs no retry: the next change publishes the queue again.
      const isRestDue = await this.#publishOnce(packageId, isWhole).catch(() => false);
      await clock.sleep(readEveryMs);
      if (isRestDue) this.#busy.set(packageId, true);
    }
    this.#busy.delete(packageId);
  }

  /** Publishes the queue once. True if only the first orders of a longer queue were published. */
  async #publishOnce(packageId: number, isWhole: boolean): Promise<boolean> {
    const { store, liveBus } = this.#options;
    const max = isWhole ? readMax : firstMax + 1;
    const stored = await store.versionedPackage(packageId, { statuses: ['queued'], max });
    const numbers = (stored?.orders ?? []).map(({ number }) => number);
    const isAll = isWhole || numbers.length <= firstMax;
    const all = isAll ? { all: runsOf(numbers) } : {};
    liveBus.publishQueue({ packageId, first: numbers.slice(0, firstMax), ...all });
    return !isAll;
  }
}
