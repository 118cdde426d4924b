import { build, type Histogram } from 'hdr-histogram-js';
import type { Percentiles } from '../results.ts';

/** Points of the curve: denser towards the tail, as in HDR plots. */
const curvePercentiles = [
  0, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 96, 97, 98, 99, 99.5, 99.7, 99.9, 99.95, 99.99,
  100,
];
const longestUs = 120_000_000;
/** The usual number of lines of an `.hgrm` file for each halving of the distance to 100 %. */
const ticksPerHalfDistance = 5;

/** A histogram of latencies from 1 µs to two minutes with three significant digits. */
export class Latencies {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: longestUs,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  });

  record(ms: number): void {
    this.#histogram.recordValue(Math.min(longestUs, Math.max(1, Math.round(ms * 1000))));
  }

  clear(): void {
    this.#histogram.reset();
  }

  add(other: Latencies): void {
    this.#histogram.add(other.#histogram);
  }

  /** The percentiles with the whole distribution, which is slower. */
  distribution(): Percentiles {
    const percentiles = this.percentiles();
    if (percentiles.count === 0) return percentiles;
    return { ...percentiles, hgrm: this.#histogram.outputPercentileDistribution(ticksPerHalfDistance, 1000) };
  }

  percentiles(): Percentiles {
    const histogram = this.#histogram;
    const count = histogram.totalCount;
    const { maxValue } = histogram;
    // A percentile is the upper end of its bucket, which may exceed the longest latency.
    const at = (percentile: number) =>
      count === 0 ? 0 : Math.min(histogram.getValueAtPercentile(percentile), maxValue) / 1000;
    return {
      count,
      mean: count === 0 ? 0 : histogram.mean / 1000,
      p50: at(50),
      p90: at(90),
      p99: at(99),
      p999: at(99.9),
      max: count === 0 ? 0 : maxValue / 1000,
      curve: count === 0 ? [] : curvePercentiles.map((percentile) => [percentile, at(percentile)] as const),
    };
  }
}
