import type { RateStage } from '../testbed.ts';

/**
 * The scheduled send times of an open loop in ms since it began, stage by stage. The warm-up has the rate of the first
 * stage, and the last stage has no end.
 */
export class Schedule {
  /** The end of each stage; infinite for the last one. */
  readonly ends: readonly number[];
  readonly #stages: readonly RateStage[];
  #stage = 0;
  #stageStart = 0;
  #taken = 0;

  constructor(stages: readonly RateStage[], warmUpSeconds: number) {
    this.#stages = stages;
    let end = warmUpSeconds * 1000;
    this.ends = stages.map(({ seconds }, index) => {
      end += seconds * 1000;
      return index === stages.length - 1 ? Number.POSITIVE_INFINITY : end;
    });
  }

  /** Takes the next time before this one; undefined if there is none left. */
  takeBefore(time: number): number | undefined {
    for (;;) {
      const { rate } = this.#stages[this.#stage] as RateStage;
      const end = this.ends[this.#stage] as number;
      const next = this.#stageStart + (this.#taken * 1000) / rate;
      if (next >= end) {
        this.#stage += 1;
        this.#stageStart = end;
        this.#taken = 0;
        continue;
      }
      if (next >= time) return undefined;
      this.#taken += 1;
      return next;
    }
  }
}
