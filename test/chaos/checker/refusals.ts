import type { InventoryEntry, PurchaseEntry } from '../history.ts';
import { placeOf } from './answers.ts';
import { CountOverTime } from './count-over-time.ts';
import { type FaultTimes, knownWithoutFaults } from './fault-times.ts';
import type { FinalState, StoredPackage } from './final-state.ts';
import { timeOf } from './final-state.ts';
import type { FindingsCollector } from './findings.ts';
import { clockToleranceMs } from './numbers.ts';
import { nameOf, type Orders } from './orders.ts';

/** The most refusals that are stored for the check at the end, which is more than enough to find a bug. */
const suspectsMax = 100_000;

/** The units of a package over time, derived from its orders. */
interface Units {
  readonly onSale: StoredPackage;
  /** Units that were confirmed and never cancelled. */
  readonly sold: CountOverTime;
  /** The units that were ever claimed, and ever confirmed, up to a time. Later events do not matter. */
  readonly everClaimed: CountOverTime;
  readonly everConfirmed: CountOverTime;
  /** Units that were claimed and not returned. */
  readonly taken: CountOverTime;
  readonly waiting: CountOverTime;
  readonly hasCancels: boolean;
}

interface Suspect {
  readonly purchase: PurchaseEntry;
  readonly level: CountOverTime;
  readonly enough: number;
  readonly what: string;
}

/**
 * Rule Q4 during the sale: `sold_out` is right only when every unit is confirmed for good, and `queue_full` only when
 * the queue is full. The checker reconstructs confirmations from the timelines. The times are the owners' decisions,
 * which are never after the commits. No refusal can know of a decision before it was taken.
 *
 * So by the end of the answer, all units must have been decided. Without cancellations that is sufficient, because a
 * sold-out package stays sold out. With cancellations, and for the queue, the condition must also have held shortly
 * before the request was sent, as {@link FaultTimes} says. A package whose quota was changed is
 * not checked, because the time of the change is unknown.
 */
export class Refusals {
  readonly #units = new Map<number, Units>();
  readonly #waitersPerUnit: number | undefined;
  readonly #collector: FindingsCollector;
  readonly #faults: FaultTimes;
  readonly #suspects: Suspect[] = [];

  constructor(state: FinalState, orders: Orders, faults: FaultTimes, collector: FindingsCollector) {
    this.#faults = faults;
    this.#collector = collector;
    this.#waitersPerUnit = state.waitersPerUnit;
    for (const onSale of state.packages) {
      if (onSale.version > 1) collector.count('packages with a changed quota, not checked by time');
      else this.#units.set(onSale.id, unitsOf(onSale, orders));
    }
    this.#checkStored(orders);
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
      what: `waited in the queue, of at least ${enough}`,
    };
    this.#suspect(suspect, true);
  }

  /**
   * Checks an answer with inventory: it cannot contain the result of a decision that was not taken yet.
   * @param place describes the request.
   */
  figures({ packageId, figures, endedAt }: InventoryEntry, place: string): void {
    const units = this.#units.get(packageId);
    if (units === undefined || figures === undefined) return;
    const { quota, held, confirmed } = figures;
    const until = endedAt + clockToleranceMs;
    const most = (level: CountOverTime) => level.most(Number.NEGATIVE_INFINITY, until);
    const isTrue =
      quota === units.onSale.quota &&
      confirmed <= most(units.everConfirmed) &&
      held + confirmed <= most(units.everClaimed);
    if (!isTrue) this.#collector.violation('Q1', `more than there was: ${place}`);
  }

  /** Call it after the whole history, because a fault may be recorded after its effect. */
  finish(): void {
    for (const { purchase, level, enough, what } of this.#suspects) {
      const from = this.#faults.knownSince(purchase);
      const most = level.most(from, purchase.endedAt + clockToleranceMs);
      if (most < enough)
        this.#collector.violation('Q4', `${most} ${what} since ${from}: ${placeOf(purchase)}`);
      else this.#collector.count('refusals from before a fault');
    }
  }

  #suspect(suspect: Suspect, isFleeting: boolean): void {
    const { purchase, level, enough } = suspect;
    this.#collector.count('refusals checked by time');
    const until = purchase.endedAt + clockToleranceMs;
    if (!isFleeting) {
      const most = level.most(Number.NEGATIVE_INFINITY, until);
      if (most < enough) this.#collector.violation('Q4', `${most} ${suspect.what}: ${placeOf(purchase)}`);
      return;
    }
    if (level.most(knownWithoutFaults(purchase.sentAt), until) >= enough) return;
    if (this.#suspects.length < suspectsMax) this.#suspects.push(suspect);
  }

  /**
   * Checks what follows from the orders alone: no waiting order was refused, and no unit beyond the quota was claimed.
   */
  #checkStored(orders: Orders): void {
    for (const { onSale, sold, taken } of this.#units.values()) {
      const { id, quota } = onSale;
      const { value, at } = taken.peak();
      if (value > quota)
        this.#collector.violation('Q3', `package ${id} had given ${value} units of ${quota} at ${at}`);
      for (const { order } of orders.of(id)) {
        const rejectedAt = order.status === 'rejected' ? timeOf(order, 'sold out') : undefined;
        if (rejectedAt === undefined || sold.most(rejectedAt, rejectedAt) >= quota) continue;
        this.#collector.violation(
          'Q4',
          `${nameOf(order)} was rejected at ${rejectedAt}, when a unit was not sold`,
        );
      }
    }
  }
}

function unitsOf(onSale: StoredPackage, orders: Orders): Units {
  const [sold, taken, waiting] = [new CountOverTime(), new CountOverTime(), new CountOverTime()];
  const [everClaimed, everConfirmed] = [new CountOverTime(), new CountOverTime()];
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
