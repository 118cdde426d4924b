import { expect, it } from 'vitest';
import { Timeline } from './timeline.ts';

const nothing = { finished: 0, confirmed: 0, accepted: 0, errors: 0, dropped: 0 };

it('counts each request in the second in which it was scheduled', () => {
  const timeline = new Timeline();
  timeline.answered(100, '201', 5);
  timeline.answered(999, '502 supplier_failed', 4_000);
  timeline.answered(2_500, '429 rate_limited', 1);
  timeline.answered(2_600, '202', 10_000);
  timeline.failed(2_700);
  timeline.dropped(2_800);
  const [first, second, third, ...others] = timeline.rows(3.004);
  expect(first).toMatchObject({ second: 0, ...nothing, finished: 2, confirmed: 1 });
  expect(first?.p50).toBeCloseTo(5, 1);
  expect(first?.p99).toBeCloseTo(4_000, -1);
  expect(second).toEqual({ second: 1, ...nothing });
  expect(third).toEqual({ second: 2, ...nothing, accepted: 1, errors: 2, dropped: 1 });
  expect(others).toEqual([]);
});

it('adds requests scheduled at the very end to the last second', () => {
  const timeline = new Timeline();
  timeline.answered(1_999, '201', 1);
  timeline.answered(2_100, '201', 1);
  expect(timeline.rows(2.1).map(({ finished }) => finished)).toEqual([0, 2]);
});

it('keeps the measures of a second after releasing its histogram', () => {
  const timeline = new Timeline();
  timeline.answered(0, '201', 10);
  for (let second = 1; second < 40; second++) timeline.answered(second * 1000, '201', 1);
  // The answer comes after the histogram of its second was released.
  timeline.answered(500, '201', 39_000);
  const [first] = timeline.rows(40);
  expect(first).toMatchObject({ finished: 2, max: 39_000 });
  expect(first?.p50).toBeCloseTo(10, 1);
});
