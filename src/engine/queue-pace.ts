import type { Positions } from '../domain/number-runs.ts';
import type { EstimatedWait } from './engine.ts';

/** Departures are counted in periods of 10 s, for the last five minutes. */
const periodMs = 10_000;
const periodsMax = 30;
/** The recent pace is measured over the present period and so many periods before it: over 30 to 40 s. */
const recentPeriods = 3;
/** A pace that is measured for a shorter time, or over fewer moves, says nothing. */
const measuredMsMin = 10_000;
const movesMin = 3;
/** The queue has stopped if it has not moved for this long, and for so many times its usual interval. */
const stoppedMsMin = 30_000;
const stoppedIntervals = 5;
/** The pace is measured again after this time at the earliest, so that an estimate does not flicker on a page. */
const measureEveryMs = 1_000;
/**
 * How far an estimate is widened, in standard deviations of random moves. At 1.5, nine in ten orders of a queue with
 * random moves end their wait within the range.
 */
const deviations = 1.5;

/** The steps to which estimates are rounded, in seconds. A longer wait is not estimated. */
const stepsS: readonly number[] = [
  ...[0, 5, 10, 15, 20, 30, 45],
  ...[1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 45].map((minutes) => minutes * 60),
  ...[1, 2, 3, 4].map((hours) => hours * 3600),
];

interface Period {
  /** Periods are numbered from the start of the measurement. */
  readonly index: number;
  departures: number;
  moves: number;
  /** The departures of the largest move. */
  largest: number;
}

/** How fast a queue moved during `ms`. */
interface Pace {
  readonly departures: number;
  readonly moves: number;
  readonly largest: number;
  readonly ms: number;
}

/**
 * Measures how fast orders leave the front of one queue, and estimates the wait of the orders behind them.
 *
 * An order departs when it gets a unit, is rejected or leaves. A move is a snapshot from which orders have departed,
 * often several at once: the units of bookings that fail together return together. An order at position p has its outcome
 * after p departures, so its wait is estimated by the intervals between moves and by the departures of each.
 *
 * There are two measurements, a recent one and one of the last five minutes. A range spans the estimates of both, so it
 * widens when the pace changes. It also spans the estimate without the largest move of the five minutes, because a single
 * burst, such as the one after the quota was raised, says nothing about the orders behind it. The memory is bounded,
 * however long the queue is. Times are ms on the monotonic clock.
 */
export class QueuePace {
  readonly #since: number;
  /** The front of the newest snapshot. */
  #front: readonly number[];
  /** The periods with moves, oldest first; those of the last five minutes at most. */
  readonly #periods: Period[] = [];
  #movedAt: number;
  #measuredAt = Number.NEGATIVE_INFINITY;
  /** The result of the last measurement. Empty while the pace is not known. */
  #paces: readonly Pace[] = [];

  /** @param front the first numbers of the queue, ascending */
  constructor(front: readonly number[], now: number) {
    this.#front = front;
    this.#since = now;
    this.#movedAt = now;
  }

  /**
   * Takes a snapshot.
   * @param front the first numbers of the queue, ascending
   * @param whole an earlier whole queue, if it is known. It tells how many have left between two fronts that share no
   * number; without it, only those are counted that were in the former front.
   */
  hear(front: readonly number[], whole: Positions | undefined, now: number): void {
    const former = this.#front;
    // Orders join at the end, so a queue with a lower head is an older one that was overtaken.
    if ((front[0] ?? 0) < (former[0] ?? 0)) return;
    this.#front = front;
    const departures = departuresBetween(former, front, whole);
    if (departures === 0) return;
    this.#movedAt = now;
    const period = this.#periodAt(now);
    period.departures += departures;
    period.moves += 1;
    period.largest = Math.max(period.largest, departures);
  }

  /** The estimated wait at a position of the queue, from 1; undefined while it is not known. */
  estimate(position: number, now: number): EstimatedWait | undefined {
    if (now - this.#measuredAt >= measureEveryMs) {
      this.#measuredAt = now;
      this.#paces = this.#measure(now);
    }
    if (this.#paces.length === 0) return undefined;
    const waits = this.#paces.map((pace) => waitAt(position, pace));
    const minS = Math.min(...waits.map((wait) => wait.minS));
    const maxS = Math.max(...waits.map((wait) => wait.maxS));
    const maxSeconds = stepsS.find((step) => step >= maxS);
    if (maxSeconds === undefined) return undefined;
    return { minSeconds: stepsS.findLast((step) => step <= minS) ?? 0, maxSeconds };
  }

  #periodAt(now: number): Period {
    const index = this.#indexAt(now);
    const newest = this.#periods.at(-1);
    if (newest?.index === index) return newest;
    const period: Period = { index, departures: 0, moves: 0, largest: 0 };
    this.#periods.push(period);
    if (this.#periods.length > periodsMax) this.#periods.shift();
    return period;
  }

  #indexAt(now: number): number {
    return Math.floor((now - this.#since) / periodMs);
  }

  #measure(now: number): readonly Pace[] {
    const present = this.#indexAt(now);
    const whole = this.#paceFrom(present - periodsMax + 1, now);
    if (now - this.#since < measuredMsMin || whole.moves < movesMin) return [];
    const stoppedMs = Math.max(stoppedMsMin, (stoppedIntervals * whole.ms) / whole.moves);
    if (now - this.#movedAt > stoppedMs) return [];
    // A slow queue has few moves in 30 s, so its recent pace is measured over a longer time.
    let from = present - recentPeriods;
    let recent = this.#paceFrom(from, now);
    while (recent.moves < movesMin) recent = this.#paceFrom(--from, now);
    return [recent, whole, withoutLargestMove(whole)];
  }

  /** The pace from the start of a period until now. */
  #paceFrom(index: number, now: number): Pace {
    const from = Math.max(0, index);
    let [departures, moves, largest] = [0, 0, 0];
    for (const period of this.#periods) {
      if (period.index < from) continue;
      departures += period.departures;
      moves += period.moves;
      largest = Math.max(largest, period.largest);
    }
    return { departures, moves, largest, ms: now - this.#since - from * periodMs };
  }
}

/** The pace of the other moves. There must be two moves or more. */
function withoutLargestMove({ departures, moves, largest, ms }: Pace): Pace {
  return { departures: departures - largest, moves: moves - 1, largest, ms };
}

/**
 * How many orders have left the front between two snapshots. Orders behind the last of the new front do not count: they
 * are missing in an older snapshot that comes late, and nobody waits behind those that have left the end of a queue.
 */
function departuresBetween(
  former: readonly number[],
  front: readonly number[],
  whole: Positions | undefined,
): number {
  let departures = 0;
  let index = 0;
  const end = front.at(-1) ?? 0;
  for (const number of former) {
    if (number > end) break;
    while ((front[index] ?? Number.POSITIVE_INFINITY) < number) index++;
    if (front[index] !== number) departures++;
  }
  const [last, head] = [former.at(-1), front[0]];
  if (whole === undefined || last === undefined || head === undefined || head <= last) return departures;
  return departures + Math.max(0, whole.below(head) - whole.below(last + 1));
}

/**
 * The wait for as many departures as the position says. An order sees between one move less and all of the moves ahead of
 * it, because it joins or looks between two moves. Random moves deviate by the square root of their number, both those
 * that were counted and those ahead.
 */
function waitAt(position: number, { departures, moves, ms }: Pace): { minS: number; maxS: number } {
  const movesAhead = Math.ceil((position * moves) / departures);
  const moveS = ms / moves / 1_000;
  const spread = 1 + deviations * (1 / Math.sqrt(moves) + 1 / Math.sqrt(movesAhead));
  return { minS: ((movesAhead - 1) * moveS) / spread, maxS: movesAhead * moveS * spread };
}
