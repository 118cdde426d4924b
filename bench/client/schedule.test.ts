import { expect, it } from 'vitest';
import { Schedule } from './schedule.ts';

function all(schedule: Schedule, before: number): number[] {
  const times: number[] = [];
  for (let time = schedule.takeBefore(before); time !== undefined; time = schedule.takeBefore(before))
    times.push(time);
  return times;
}

it('returns each time of a constant rate once', () => {
  const schedule = new Schedule([{ rate: 100, seconds: 1 }], 0);
  expect(all(schedule, 25)).toEqual([0, 10, 20]);
  expect(all(schedule, 45)).toEqual([30, 40]);
  // The last stage has no end.
  expect(all(schedule, 2000)).toHaveLength(195);
});

it('runs the stages one after the other, and the warm-up at the rate of the first', () => {
  const stages = [
    { rate: 10, seconds: 1 },
    { rate: 1000, seconds: 0.5 },
    { rate: 10, seconds: 1 },
  ];
  const schedule = new Schedule(stages, 0.5);
  expect(schedule.ends).toEqual([1500, 2000, Number.POSITIVE_INFINITY]);
  const times = all(schedule, 3000);
  const between = (from: number, to: number) => times.filter((time) => time >= from && time < to).length;
  expect([between(0, 500), between(500, 1500), between(1500, 2000), between(2000, 3000)]).toEqual([
    5, 10, 500, 10,
  ]);
});
