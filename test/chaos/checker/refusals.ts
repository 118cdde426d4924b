import type { FaultEntry, FiguresEntry, PurchaseEntry } from '../history.ts';
import { placeOf } from './answers.ts';
import type { FinalState, StoredPackage } from './final-state.ts';
import { timeOf } from './final-state.ts';
import type { Notes } from './findings.ts';
import { Level } from './level.ts';
import { clockToleranceMs } from './numbers.ts';
import { nameOf, type Orders } from './orders.ts';

/** How old a snapshot may be from which an instance refuses. */
const snapshotMs = 250;
/**
 * What else may lie between a decision and a refusal that does not know of it, on a machine with more to do than it
 * can: the decision's commit, its way to the instance, and the turn of the instance.
 */
const delayMs = 2_000;
/** How long a fault goes on having effects: elections, reconnections, and what was kept back meanwhile. */
const afterMs = 10_000;
/** More than enough to see that something is wrong. */
const suspectsMax = 100_000;

/** What the orders of a package say of its units at any time. */
interface Units {
  readonly onSale: StoredPackage;
  /** Confirmed for good: not those whose cancel was asked for. */
  readonly sold: Level;
  /** Claimed, and confirmed, up to then, whatever came later. */
  readonly everClaimed: Level;
  readonly everConfirmed: Level;
  /** Claimed and not given back. */
  readonly taken: Level;
  readonly waiting: Level;
  readonly hasCancels: boolean;
}

interface Suspect {
  readonly purchase: PurchaseEntry;
  readonly level: Level;
  readonly enough: number;
  readonly what: string;
}

/**
 * Rule Q4 while the sale is on: `sold_out` only when every unit was confirmed for good, `queue_full` only when the
 * line was full. What was confirmed when is reconstructed from the timelines, whose times are those of the owners'
 * decisions, never later than their commits; and no refusal can know of a decision that was not taken.
 *
 * So, surely: by the end of the answer, all units must have been decided to be confirmed. Without cancels that is
 * all, since what is sold out stays so. With them, and for the line, it must have been so shortly before the request
 * was sent or later: {@link snapshotMs} as promised and {@link delayMs}. Where a fault was at work then, a snapshot
 * may have been held up in a socket or in a process for as long, and looked fresh to whom it reached: the time begins
 * before that fault. A package whose quota was changed is not judged: nobody knows when.
 */
export class Refusals {
  readonly #units = new Map<number, Units>();
  readonly #waitersPerUnit: number | undefined;
  readonly #notes: Notes;
  readonly #faults: { readonly from: number; readonly to: number }[] = [];
  readonly #suspects: Suspect[] = [];

  constructor(state: FinalState, orders: Orders, notes: Notes) {
    this.#notes = notes;
    this.#waitersPerUnit = state.waitersPerUnit;
    for (const onSale of state.packages) {
      if (onSale.version > 1) notes.count('packages with another quota, not judged by time');
      else this.#units.set(onSale.id, unitsOf(onSale, orders));
    }
    this.#judgeStored(orders);
  }

  fault({ at, until }: FaultEntry): void {
    this.#faults.push({ from: at, to: (until ?? at) + afterMs });
  }

  soldOut(purchase: PurchaseEntry): void {
    const units = this.#units.get(purchase.packageId);
    if (units === undefined) return;
    const { quota } = units.onSale;
    const suspect = { purchase, level: units.sold, enough: quota, what: `of ${quota} units were sold` };
    this.#suspect(suspect, units.hasCancels);
  }

  queueFull(purchase: PurchaseEntry): void {
    const units = this.#units.get(purchase.packageId);
    if (units === undefined) return;
    const enough = Math.max(1, (this.#waitersPerUnit ?? 0) * units.onSale.quota);
    const suspect = {
      purchase,
      level: units.waiting,
      enough,
      what: `stood in the line, of at least ${enough}`,
    };
    this.#suspect(suspect, true);
  }

  /** Figures cannot tell of what was not decided yet. @param place names them. */
  figures({ packageId, figures, endedAt }: FiguresEntry, place: string): void {
    const units = this.#units.get(packageId);
    if (units === undefined || figures === undefined) return;
    const { quota, held, confirmed } = figures;
    const until = endedAt + clockToleranceMs;
    const most = (level: Level) => level.most(Number.NEGATIVE_INFINITY, until);
    const isTrue =
      quota === units.onSale.quota &&
      confirmed <= most(units.everConfirmed) &&
      held + confirmed <= most(units.everClaimed);
    if (!isTrue) this.#notes.violation('Q1', `more than there was: ${place}`);
  }

  /** To be called when the whole history was seen: what holds a snapshot up may be written down after its effect. */
  finish(): void {
    for (const { purchase, level, enough, what } of this.#suspects) {
      const from = this.#since(purchase);
      const most = level.most(from, purchase.endedAt + clockToleranceMs);
      if (most < enough) this.#notes.violation('Q4', `${most} ${what} since ${from}: ${placeOf(purchase)}`);
      else this.#notes.count('refusals from before a fault');
    }
  }

  #suspect(suspect: Suspect, isFleeting: boolean): void {
    const { purchase, level, enough } = suspect;
    this.#notes.count('refusals judged by time');
    const until = purchase.endedAt + clockToleranceMs;
    if (!isFleeting) {
      const most = level.most(Number.NEGATIVE_INFINITY, until);
      if (most < enough) this.#notes.violation('Q4', `${most} ${suspect.what}: ${placeOf(purchase)}`);
      return;
    }
    if (level.most(purchase.sentAt - snapshotMs - delayMs, until) >= enough) return;
    if (this.#suspects.length < suspectsMax) this.#suspects.push(suspect);
  }

  #since({ sentAt, endedAt }: PurchaseEntry): number {
    const since = sentAt - snapshotMs - delayMs;
    const atWork = this.#faults.filter(({ from, to }) => from <= endedAt && to >= since);
    return Math.min(since, ...atWork.map(({ from }) => from - snapshotMs - delayMs));
  }

  /** What the orders alone say: nobody in the line was refused, and no unit given, beyond what there was. */
  #judgeStored(orders: Orders): void {
    for (const { onSale, sold, taken } of this.#units.values()) {
      const { id, quota } = onSale;
      const { value, at } = taken.peak();
      if (value > quota)
        this.#notes.violation('Q3', `package ${id} had given ${value} units of ${quota} at ${at}`);
      for (const { order } of orders.of(id)) {
        const rejectedAt = order.status === 'rejected' ? timeOf(order, 'sold out') : undefined;
        if (rejectedAt === undefined || sold.most(rejectedAt, rejectedAt) >= quota) continue;
        this.#notes.violation(
          'Q4',
          `${nameOf(order)} was rejected at ${rejectedAt}, when a unit was not sold`,
        );
      }
    }
  }
}

function unitsOf(onSale: StoredPackage, orders: Orders): Units {
  const [sold, taken, waiting] = [new Level(), new Level(), new Level()];
  const [everClaimed, everConfirmed] = [new Level(), new Level()];
  let hasCancels = false;
  for (const { order } of orders.of(onSale.id)) {
    const cancelledAt = timeOf(order, 'cancel requested');
    hasCancels ||= cancelledAt !== undefined;
    sold.add(timeOf(order, 'confirmed'), 1);
    everClaimed.add(timeOf(order, 'claimed'), 1);
    everConfirmed.add(timeOf(order, 'confirmed'), 1);
    sold.add(cancelledAt, -1);
    taken.add(timeOf(order, 'claimed'), 1);
    taken.add(timeOf(order, 'released'), -1);
    const queuedAt = timeOf(order, 'queued');
    waiting.add(queuedAt, 1);
    if (queuedAt !== undefined) waiting.add(timeOf(order, 'claimed', 'withdrawn', 'sold out'), -1);
  }
  return { onSale, sold, everClaimed, everConfirmed, taken, waiting, hasCancels };
}
