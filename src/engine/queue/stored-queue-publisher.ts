import type { Clock } from '../../lib/clock.ts';
import type { LiveBus } from '../../realtime/live-bus.ts';
import type { Store } from '../../storage/store.ts';

export interface StoredQueuePublisherOptions {
  readonly store: Pick<Store, 'versionedPackage'>;
  readonly liveBus: LiveBus;
  readonly clock: Clock;
}

/** What viewers are told of the line: its head soon, the whole of it once a second. */
const firstMax = 20;
const wholeMax = 10_000;
const everyMs = 200;
const wholeEveryMs = 1_000;

/** Reads the lines of packages when they have changed, and tells viewers: nobody has them in memory here. */
export class StoredQueuePublisher {
  readonly #options: StoredQueuePublisherOptions;
  /** Packages that are being told of; true when their line has changed since it was read. */
  readonly #busy = new Map<number, boolean>();

  constructor(options: StoredQueuePublisherOptions) {
    this.#options = options;
  }

  changed(packageId: number): void {
    const isBusy = this.#busy.has(packageId);
    this.#busy.set(packageId, true);
    if (!isBusy) void this.#tell(packageId);
  }

  async #tell(packageId: number): Promise<void> {
    const { clock } = this.#options;
    let wholeAt = Number.NEGATIVE_INFINITY;
    while (this.#busy.get(packageId) === true) {
      this.#busy.set(packageId, false);
      const isWhole = clock.now() - wholeAt >= wholeEveryMs;
      if (isWhole) wholeAt = clock.now();
      const isRest = await this.#tellOnce(packageId, isWhole).catch(() => false);
      await clock.sleep(everyMs);
      if (isRest) this.#busy.set(packageId, true);
    }
    this.#busy.delete(packageId);
  }

  /** True when there is more of the line than was told. */
  async #tellOnce(packageId: number, isWhole: boolean): Promise<boolean> {
    const { store, liveBus } = this.#options;
    const max = isWhole ? wholeMax : firstMax + 1;
    const present = await store.versionedPackage(packageId, { statuses: ['queued'], max });
    const numbers = (present?.orders ?? []).map(({ number }) => number);
    const isAll = isWhole || numbers.length <= firstMax;
    liveBus.publishQueue({
      packageId,
      first: numbers.slice(0, firstMax),
      ...(isAll ? { all: numbers } : {}),
    });
    return !isAll;
  }
}
