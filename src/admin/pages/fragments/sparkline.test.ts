import { expect, test } from 'vitest';
import { sparkline } from './sparkline.ts';

const pointsOf = (values: readonly number[]) => {
  const [, points = ''] = /<polyline[^>]* points="([^"]*)"/.exec(String(sparkline(values))) ?? [];
  return points.split(' ').map((point) => point.split(',').map(Number));
};

test('a sparkline is drawn from left to right, from zero at the bottom to the highest value at the top', () => {
  expect(pointsOf([0, 5, 10])).toEqual([
    [0, 22],
    [60, 12],
    [120, 2],
  ]);
});

test('a sparkline stays within the drawing for any numbers', () => {
  const values = Array.from({ length: 60 }, (_, index) => 1e9 * Math.abs(Math.sin(index)));
  for (const [x, y] of pointsOf(values)) {
    expect(x).toBeGreaterThanOrEqual(0);
    expect(x).toBeLessThanOrEqual(120);
    expect(y).toBeGreaterThanOrEqual(2);
    expect(y).toBeLessThanOrEqual(22);
  }
  expect(pointsOf([7])).toEqual([[0, 2]]);
});

test('a sparkline is a flat line if all numbers are zero', () => {
  for (const values of [[], [0, 0]]) {
    expect(String(sparkline(values))).toContain('spark-rest');
    expect(String(sparkline(values))).not.toContain('NaN');
  }
});

test('a sparkline needs no inline style, and is hidden from screen readers', () => {
  expect(String(sparkline([1, 2]))).not.toContain('style=');
  expect(String(sparkline([1, 2]))).toContain('aria-hidden="true"');
});
