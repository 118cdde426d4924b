import { expect, it } from 'vitest';
import { TimeSlice } from './schedule.ts';

/** How long a slice lasts after other work took this many ms. */
async function sliceAfter(othersMs: number): Promise<number> {
  let now = 1_000;
  const yieldToEventLoop = async () => {
    now += othersMs;
  };
  const slice = new TimeSlice({ sliceMsMin: 2, sliceMsMax: 8, yieldToEventLoop, monotonicNow: () => now });
  expect(slice.isOver()).toBe(true);
  await slice.next();
  const from = now;
  while (!slice.isOver()) now += 0.5;
  return now - from;
}

it.each([
  [0, 2],
  [1, 2],
  [5, 5],
  [100, 8],
])(
  'sets the slice to the duration of other work, within bounds: %i ms give %i ms',
  async (othersMs, sliceMs) => {
    expect(await sliceAfter(othersMs)).toBe(sliceMs);
  },
);
