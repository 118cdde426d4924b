import type { InventoryEntry, UpdateEntry } from '../history.ts';
import { placeOf } from './answers.ts';
import type { FaultTimes } from './fault-times.ts';
import type { FinalState, StoredPackage } from './final-state.ts';
import type { FindingsCollector } from './findings.ts';
import { clockToleranceMs } from './numbers.ts';
import { nameOf, type Orders } from './orders.ts';

type Acknowledged = UpdateEntry & Required<Pick<UpdateEntry, 'updated'>>;

/** The changes of one package. */
interface Changes {
  readonly acknowledged: Acknowledged[];
  /** Changes that nobody knows about: without an answer, or answered 5xx or `version_conflict`. */
  readonly undecided: UpdateEntry[];
  /** When each `resume` was sent. */
  readonly resumedAt: number[];
  /** Inventories that customers saw. */
  readonly seen: InventoryEntry[];
}

/** The most inventories that are stored for the check at the end. */
const seenMax = 200_000;

/**
 * Checks that an operator's change is visible, or was refused (rules `update` and `pause`): a change that was answered 200
 * is in the package for good, one that was refused has changed nothing, customers see a new quota, and while a sale is
 * paused nobody gets a unit or a position.
 */
export class Updates {
  readonly #packages: readonly StoredPackage[];
  readonly #orders: Orders;
  readonly #faults: FaultTimes;
  readonly #collector: FindingsCollector;
  readonly #byPackage = new Map<number, Changes>();
  #seenCount = 0;

  constructor({ packages }: FinalState, orders: Orders, faults: FaultTimes, collector: FindingsCollector) {
    this.#packages = packages;
    this.#orders = orders;
    this.#faults = faults;
    this.#collector = collector;
    for (const { id, version } of packages)
      if (version > 1) this.#byPackage.set(id, { acknowledged: [], undecided: [], resumedAt: [], seen: [] });
  }

  see(entry: UpdateEntry): void {
    const { packageId, kind, status, code, quota, updated, sentAt } = entry;
    const changes = this.#of(packageId);
    if (kind === 'resume') changes.resumedAt.push(sentAt);
    if (updated !== undefined) {
      changes.acknowledged.push(entry as Acknowledged);
      const isAsAsked = kind === 'update' ? updated.quota === quota : updated.paused === (kind === 'pause');
      if (!isAsAsked) this.#collector.violation('update', `not what was asked for: ${placeOf(entry)}`);
    } else if (status === undefined || status >= 500 || code === 'version_conflict') {
      // An owner that repeats an update after a lost reply may find that it was made, and changed again since.
      changes.undecided.push(entry);
    }
  }

  figures(entry: InventoryEntry): void {
    const changes = this.#byPackage.get(entry.packageId);
    if (changes === undefined || entry.figures === undefined || this.#seenCount >= seenMax) return;
    this.#seenCount += 1;
    changes.seen.push(entry);
  }

  /** Call it after the whole history. */
  finish(): void {
    for (const onSale of this.#packages) {
      const changes = this.#byPackage.get(onSale.id);
      if (changes === undefined) continue;
      changes.acknowledged.sort((one, other) => one.updated.version - other.updated.version);
      this.#checkStored(onSale, changes);
      this.#checkSeen(changes);
      this.#checkPauses(onSale, changes);
      this.#collector.count('packages that operators changed');
    }
  }

  #of(packageId: number): Changes {
    let changes = this.#byPackage.get(packageId);
    if (changes === undefined) {
      changes = { acknowledged: [], undecided: [], resumedAt: [], seen: [] };
      this.#byPackage.set(packageId, changes);
    }
    return changes;
  }

  /** Compares the stored package with what was answered. Each change that is made raises the version by one. */
  #checkStored(onSale: StoredPackage, { acknowledged, undecided }: Changes): void {
    const { id, version, quota, isPaused } = onSale;
    const quotas = new Map<number, number>();
    for (const { kind, updated } of acknowledged) {
      const other = quotas.get(updated.version);
      if (updated.version > version)
        this.#collector.violation(
          'update',
          `package ${id} has version ${version}, and ${kind} was answered with version ${updated.version}`,
        );
      if (other !== undefined && other !== updated.quota)
        this.#collector.violation(
          'update',
          `version ${updated.version} of package ${id} was answered with quotas ${other} and ${updated.quota}`,
        );
      quotas.set(updated.version, updated.quota);
    }
    const made = [...quotas.keys()].filter((each) => each > 1).length;
    if (version - 1 > made + undecided.length)
      this.#collector.violation(
        'update',
        `package ${id} was changed ${version - 1} times, although only ${made} changes were answered 200 and ` +
          `${undecided.length} are undecided`,
      );
    const last = acknowledged.at(-1)?.updated;
    if (last === undefined) return;
    const possible = [last.quota, ...undecided.map((each) => each.quota)];
    if (!possible.includes(quota))
      this.#collector.violation(
        'update',
        `package ${id} has quota ${quota}, and its last change was answered with ${last.quota}`,
      );
    if (isPaused !== last.paused && !undecided.some(({ kind }) => kind === (isPaused ? 'pause' : 'resume')))
      this.#collector.violation(
        'pause',
        `package ${id} is ${isPaused ? '' : 'not '}paused, unlike in the last answer`,
      );
  }

  /** Customers see a new quota as soon as the age of snapshots permits. */
  #checkSeen({ acknowledged, undecided, seen }: Changes): void {
    for (const entry of seen) {
      const since = this.#faults.knownSince(entry);
      const known = acknowledged.findLast(({ endedAt }) => endedAt < since);
      if (known === undefined) continue;
      const newer = acknowledged.filter(({ updated }) => updated.version >= known.updated.version);
      const possible = [...newer.map(({ updated }) => updated.quota), ...undecided.map(({ quota }) => quota)];
      this.#collector.count('quotas checked after a change');
      if (possible.includes(entry.figures?.quota)) continue;
      const words = `quota ${known.updated.quota} was answered at ${known.endedAt}`;
      this.#collector.violation(
        'update',
        `${words}, and quota ${entry.figures?.quota} seen: ${placeOf(entry)}`,
      );
    }
  }

  /** No order is stored or gets a unit between the answer to a pause and the next request to resume. */
  #checkPauses({ id }: StoredPackage, { acknowledged, undecided, resumedAt }: Changes): void {
    for (const { kind, sentAt, endedAt } of acknowledged) {
      if (kind !== 'pause') continue;
      // A request to resume without an answer may be carried out late.
      if (undecided.some((each) => each.kind === 'resume' && each.sentAt < sentAt)) continue;
      const from = endedAt + clockToleranceMs;
      const to = Math.min(...resumedAt.filter((at) => at > sentAt)) - clockToleranceMs;
      this.#collector.count('pauses checked');
      for (const { order } of this.#orders.of(id)) {
        const sold = order.timeline.find(
          ({ event, at }) => (event === 'queued' || event === 'claimed') && at > from && at < to,
        );
        if (sold === undefined) continue;
        const words = `was ${sold.event} at ${sold.at}, while the sale was paused from ${endedAt} to ${to}`;
        this.#collector.violation('pause', `${nameOf(order)} ${words}`);
      }
    }
  }
}
