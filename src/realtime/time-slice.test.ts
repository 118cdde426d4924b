import { expect, it } from 'vitest';
import { TimeSlice } from './time-slice.ts';

/** How long a pass goes on at a stretch after the others took so many ms. */
async function turnAfter(othersMs: number): Promise<number> {
  let now = 1_000;
  const yieldToEventLoop = async () => {
    now += othersMs;
  };
  const turns = new TimeSlice({ sliceMsMin: 2, sliceMsMax: 8, yieldToEventLoop, monotonicNow: () => now });
  expect(turns.isOver()).toBe(true);
  await turns.next();
  const from = now;
  while (!turns.isOver()) now += 0.5;
  return now - from;
}

it.each([
  [0, 2],
  [1, 2],
  [5, 5],
  [100, 8],
])('goes on as long as the others took, within bounds: after %i ms for %i ms', async (othersMs, turnMs) => {
  expect(await turnAfter(othersMs)).toBe(turnMs);
});
