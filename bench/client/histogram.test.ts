import { expect, it } from 'vitest';
import { Latencies } from './histogram.ts';

it('has no percentile above the longest latency', () => {
  const latencies = new Latencies();
  for (const ms of [12.3, 30, 45.893]) latencies.record(ms);
  const { p50, p999, max, curve } = latencies.percentiles();
  expect(p50).toBeCloseTo(30, 1);
  expect(p999).toBe(max);
  expect(Math.max(...curve.map(([, ms]) => ms))).toBe(max);
});
