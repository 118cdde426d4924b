import type { TimelineSecond } from '../results.ts';
import { Latencies } from './histogram.ts';
import { isError, isOutcome } from './outcomes.ts';

/** After this time (ms) a second's latencies are final, because no request waits longer. */
const openForMs = 15_000;
/** A window may end this much late (in seconds) without an additional row. */
const lateMax = 0.25;

interface Counts extends Omit<TimelineSecond, 'p50' | 'p99' | 'max'> {
  finished: number;
  confirmed: number;
  accepted: number;
  errors: number;
  dropped: number;
  /** Undefined once its percentiles are computed, because a histogram is large. */
  latencies: Latencies | undefined;
  p50?: number;
  p99?: number;
  max?: number;
}

/** Results by second, according to the scheduled times of the requests. */
export class Timeline {
  readonly #seconds = new Map<number, Counts>();
  readonly #free: Latencies[] = [];
  #closedBefore = 0;

  /** @param at ms since the measured window began. */
  answered(at: number, name: string, ms: number): void {
    const second = this.#at(at);
    if (isOutcome(name)) {
      second.finished += 1;
      if (name === '201') second.confirmed += 1;
      second.latencies?.record(ms);
      if (second.latencies === undefined) second.max = Math.max(second.max ?? 0, ms);
    } else if (isError(name)) second.errors += 1;
    else second.accepted += 1;
    this.#close((at + ms - openForMs) / 1000);
  }

  failed(at: number, count = 1): void {
    this.#at(at).errors += count;
  }

  dropped(at: number): void {
    this.#at(at).dropped += 1;
  }

  /** @param seconds of the window: the last row may be shorter than a second, or up to a quarter longer. */
  rows(seconds: number): TimelineSecond[] {
    const count = Math.max(1, Math.ceil(seconds - lateMax));
    const last = this.#seconds.get(count);
    // On a busy machine the window ends a little late.
    if (last !== undefined) this.#seconds.delete(count);
    const rows = Array.from({ length: count }, (_, second) => this.#row(second));
    const end = rows.at(-1);
    if (last === undefined || end === undefined) return rows;
    const sums = (['finished', 'confirmed', 'accepted', 'errors', 'dropped'] as const).map(
      (name) => [name, end[name] + last[name]] as const,
    );
    return [...rows.slice(0, -1), { ...end, ...(Object.fromEntries(sums) as Partial<TimelineSecond>) }];
  }

  #row(second: number): TimelineSecond {
    const counts = this.#at(second * 1000);
    this.#finish(counts);
    const { latencies: _, ...row } = counts;
    return row;
  }

  #at(ms: number): Counts {
    const second = Math.max(0, Math.floor(ms / 1000));
    const known = this.#seconds.get(second);
    if (known !== undefined) return known;
    const fresh = { second, finished: 0, confirmed: 0, accepted: 0, errors: 0, dropped: 0 };
    const latencies = second < this.#closedBefore ? undefined : (this.#free.pop() ?? new Latencies());
    const counts: Counts = { ...fresh, latencies };
    this.#seconds.set(second, counts);
    return counts;
  }

  #close(before: number): void {
    for (; this.#closedBefore < Math.floor(before); this.#closedBefore++) {
      const counts = this.#seconds.get(this.#closedBefore);
      if (counts !== undefined) this.#finish(counts);
    }
  }

  #finish(counts: Counts): void {
    const { latencies } = counts;
    if (latencies === undefined) return;
    const { count, p50, p99, max } = latencies.percentiles();
    if (count > 0) Object.assign(counts, { p50, p99, max });
    counts.latencies = undefined;
    latencies.clear();
    this.#free.push(latencies);
  }
}
