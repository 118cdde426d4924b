import type { FaultEntry } from '../history.ts';
import { CountOverTime } from './count-over-time.ts';
import { timeOf } from './final-state.ts';
import type { FindingsCollector } from './findings.ts';
import type { Orders } from './orders.ts';

/**
 * After the end of another fault, orders may still be late for this long, in ms: the longest pause of a circuit breaker, and
 * some time for the calls that waited.
 */
const recoveryMs = 6_000;
/** An order of another package is in time if it has ended, is payable, or needs compensation, within this time. */
const inTimeMs = 3_000;
const inTimeLeast = 0.8;
/** With fewer orders the interval is not judged. */
const ordersLeast = 15;

/**
 * Rule Q12: while the suppliers fail for one package, the others go on. Judged are the intervals in which nothing else was
 * at fault. At least {@link inTimeLeast} of the orders that the other packages stored then must be in time. Only packages
 * that always had a free unit count, because the orders of the others may rightly wait in a queue, and only packages that
 * no operator paused.
 */
export class Isolation {
  readonly #orders: Orders;
  readonly #collector: FindingsCollector;
  readonly #faults: FaultEntry[] = [];
  readonly #ofPackages: { readonly packageId: number; readonly fault: FaultEntry }[] = [];

  constructor(orders: Orders, collector: FindingsCollector) {
    this.#orders = orders;
    this.#collector = collector;
  }

  see(fault: FaultEntry): void {
    const id = /^package-(?<id>\d+)$/.exec(fault.target)?.groups?.id;
    if (id === undefined) this.#faults.push(fault);
    else this.#ofPackages.push({ packageId: Number(id), fault });
  }

  /** Call it after the whole history. @param judged the packages that no operator changed, with their quotas */
  finish(judged: ReadonlyMap<number, number>): void {
    if (this.#ofPackages.length === 0) return;
    const free = [...judged].filter(([id, quota]) => this.#alwaysHadUnits(id, quota)).map(([id]) => id);
    for (const { packageId, fault } of this.#ofPackages) {
      const others = free.filter((id) => id !== packageId);
      for (const [from, to] of this.#clear(fault)) this.#check(fault, others, from, to);
    }
  }

  #check({ fault, target }: FaultEntry, others: readonly number[], from: number, to: number): void {
    let [stored, inTime] = [0, 0];
    for (const id of others) {
      for (const { order } of this.#orders.of(id)) {
        const storedAt = order.timeline[0]?.at ?? 0;
        if (storedAt < from || storedAt > to) continue;
        stored += 1;
        const endedAt = timeOf(order, 'payment due', 'confirmed', 'failed', 'compensating', 'withdrawn');
        if (endedAt !== undefined && endedAt - storedAt <= inTimeMs) inTime += 1;
      }
    }
    if (stored < ordersLeast) return;
    this.#collector.count('intervals in which one package failed alone');
    this.#collector.count('orders of other packages meanwhile', stored);
    if (inTime >= inTimeLeast * stored) return;
    this.#collector.violation(
      'Q12',
      `'${fault}' of ${target} delayed the others: from ${from} to ${to} only ${inTime} of ${stored} orders were in time`,
    );
  }

  #alwaysHadUnits(packageId: number, quota: number): boolean {
    const taken = new CountOverTime();
    for (const { order } of this.#orders.of(packageId)) {
      taken.add(timeOf(order, 'claimed'), 1);
      taken.add(timeOf(order, 'released'), -1);
    }
    return taken.most(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY) < quota;
  }

  /** The parts of a fault's time in which no other fault has effects. */
  #clear({ at, until = at }: FaultEntry): [from: number, to: number][] {
    let clear: [number, number][] = [[at, until]];
    for (const other of this.#faults) {
      const end = (other.until ?? other.at) + recoveryMs;
      clear = clear.flatMap(([from, to]): [number, number][] => {
        if (end <= from || other.at >= to) return [[from, to]];
        const parts: [number, number][] = [
          [from, other.at],
          [end, to],
        ];
        return parts.filter(([start, stop]) => start < stop);
      });
    }
    return clear;
  }
}
