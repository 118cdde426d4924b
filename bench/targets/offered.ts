import type { TargetsParams } from '../arguments.ts';

type Load = Pick<TargetsParams, 'rate' | 'stages' | 'seconds'>;

/** The offered rate in this second of the measured window; undefined in a closed loop. */
export function rateAt({ rate, stages }: Load, second: number): number | undefined {
  if (stages === undefined) return rate;
  let end = 0;
  for (const stage of stages) {
    end += stage.seconds;
    if (second < end) return stage.rate;
  }
  return stages.at(-1)?.rate;
}

/** A shorter stage has measured nothing. */
const leastMs = 50;

/** The load as if its window had ended after this many seconds. */
export function shortened<Whole extends Load>(load: Whole, seconds: number): Whole {
  const { stages } = load;
  if (stages === undefined) return { ...load, seconds };
  let left = seconds;
  const passed = stages.flatMap((stage) => {
    const lasted = Math.min(left, stage.seconds);
    left -= lasted;
    return lasted > leastMs / 1000 ? [{ ...stage, seconds: lasted }] : [];
  });
  return { ...load, seconds, stages: passed };
}

/** The average over the whole window. */
export function offeredOf({ rate, stages, seconds }: Load): number | undefined {
  if (stages === undefined) return rate;
  return stages.reduce((sum, stage) => sum + stage.rate * stage.seconds, 0) / seconds;
}
