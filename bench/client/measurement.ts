import type { LoadResult } from '../testbed.ts';
import { LoadCounts } from './load-counts.ts';
import { MeasuredWindow } from './measured-window.ts';
import { isError, isOutcome } from './outcomes.ts';
import { Timeline } from './timeline.ts';

export interface MeasurementOptions {
  /** When each stage of the load ends, in ms since `startedAt`; empty for a load with one stage. */
  readonly stageEnds?: readonly number[];
  /** Whether to count each second separately. */
  readonly timeline?: boolean;
}

/**
 * Collects the results of a load. A request belongs to its scheduled time: a request of the warm-up never counts, a
 * request of the window counts whenever it ends.
 */
export class Measurement {
  readonly window = new MeasuredWindow();
  /** Counts since the start including the warm-up, for the progress line. */
  readonly live = { sent: 0, answered: 0, finished: 0, errors: 0, limited: 0 };
  /** When the load began, by `performance.now()`. */
  startedAt = performance.now();
  #finishedInWindow = 0;
  readonly #whole = new LoadCounts();
  readonly #stages: readonly { readonly end: number; readonly counts: LoadCounts }[];
  readonly #timeline: Timeline | undefined;

  constructor({ stageEnds = [], timeline = false }: MeasurementOptions = {}) {
    this.#stages = stageEnds.length < 2 ? [] : stageEnds.map((end) => ({ end, counts: new LoadCounts() }));
    this.#timeline = timeline ? new Timeline() : undefined;
  }

  /** @param since the scheduled time of the request. */
  answered(since: number, now: number, name: string): void {
    const { live, window } = this;
    live.answered += 1;
    if (isOutcome(name)) {
      live.finished += 1;
      if (window.holds(now)) this.#finishedInWindow += 1;
    }
    if (isError(name)) live.errors += 1;
    if (name.startsWith('429')) live.limited += 1;
    if (!window.holds(since)) return;
    for (const counts of this.#countsOf(since)) counts.answered(name, now - since);
    this.#timeline?.answered(since - window.start, name, now - since);
  }

  /** @param at the scheduled time of the request, or the time when the connection failed. */
  failed(reason: string, at: number, count = 1): void {
    this.live.errors += count;
    if (!this.window.holds(at)) return;
    for (const counts of this.#countsOf(at)) counts.fail(reason, count);
    if (count > 0) this.#timeline?.failed(at - this.window.start, count);
  }

  dropped(since: number): void {
    this.live.errors += 1;
    if (!this.window.holds(since)) return;
    for (const counts of this.#countsOf(since)) counts.dropped += 1;
    this.#timeline?.dropped(since - this.window.start);
  }

  /** The p99 of the outcomes measured so far in ms; undefined without any. */
  p99(): number | undefined {
    return this.#whole.p99();
  }

  result(): LoadResult {
    const { seconds, cpu } = this.window;
    const stages = this.#stages.map(({ counts }, index) => counts.result(this.#secondsOf(index), cpu));
    return {
      ...this.#whole.result(seconds, cpu),
      finishedInWindow: this.#finishedInWindow,
      ...(stages.length === 0 ? {} : { stages }),
      ...(this.#timeline === undefined ? {} : { timeline: this.#timeline.rows(seconds) }),
    };
  }

  #countsOf(since: number): LoadCounts[] {
    const stage = this.#stages.find(({ end }) => since - this.startedAt < end);
    return stage === undefined ? [this.#whole] : [this.#whole, stage.counts];
  }

  /** Seconds of the stage that are inside the window. */
  #secondsOf(index: number): number {
    const { start, end } = this.window;
    const until = Math.min(end, this.startedAt + (this.#stages[index]?.end ?? Number.POSITIVE_INFINITY));
    const from = index === 0 ? start : this.startedAt + (this.#stages[index - 1]?.end ?? 0);
    return Math.max(0, until - Math.max(start, from)) / 1000;
  }
}
