/**
 * Counters and histograms for the hot path: prom-client's own take half a µs per call, which is 3 % of a purchase
 * when there are several of them in it; these take some ten ns. They are told in prom-client's terms when a scrape
 * asks for them.
 */

/** What a metric is called and means (https://prometheus.io/docs/practices/naming/). */
export interface MetricDefinition {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** With its ending, where it is not the metric's own. */
  readonly metricName?: string;
}

/** The values of a metric's labels, in their order. */
export type LabelValues = readonly (string | number)[];

/**
 * One `T` per series of up to three labels, found without making a string of them: that would cost more than all the
 * rest.
 */
class BySeries<T> {
  readonly #all: { readonly series: LabelValues; readonly kept: T }[] = [];
  readonly #tree = new Map<string | number, Map<string | number, Map<string | number, T>>>();
  readonly #make: () => T;

  constructor(make: () => T) {
    this.#make = make;
  }

  get(first: string | number, second: string | number, third: string | number): T {
    return this.#tree.get(first)?.get(second)?.get(third) ?? this.#add(first, second, third);
  }

  /** In the order they came. */
  get all(): readonly { readonly series: LabelValues; readonly kept: T }[] {
    return this.#all;
  }

  #add(first: string | number, second: string | number, third: string | number): T {
    const seconds = this.#tree.get(first) ?? new Map<string | number, Map<string | number, T>>();
    const thirds = seconds.get(second) ?? new Map<string | number, T>();
    const kept = this.#make();
    this.#tree.set(first, seconds.set(second, thirds.set(third, kept)));
    this.#all.push({ series: [first, second, third], kept });
    return kept;
  }
}

function labelsOf({ labels }: MetricDefinition, series: LabelValues): Record<string, string | number> {
  return Object.fromEntries(labels.map((label, index) => [label, series[index] ?? '']));
}

/** Counts that only grow, by series. */
export class Counter {
  readonly described: MetricDefinition;
  readonly #counts = new BySeries(() => ({ count: 0 }));

  /** @param known series that are told as 0 before anything was counted, so that their first increase is seen. */
  constructor(
    described: MetricDefinition,
    known: readonly LabelValues[] = described.labels.length === 0 ? [[]] : [],
  ) {
    this.described = described;
    for (const [first = '', second = '', third = ''] of known) this.#counts.get(first, second, third);
  }

  add(first: string | number = '', second: string | number = '', third: string | number = ''): void {
    this.#counts.get(first, second, third).count++;
  }

  samples(): Sample[] {
    return this.#counts.all.map(({ series, kept }) => ({
      labels: labelsOf(this.described, series),
      value: kept.count,
    }));
  }
}

interface Buckets {
  /** How many fell into each bucket alone; the last one is beyond every bound. */
  readonly counts: Float64Array;
  sum: number;
}

/** A histogram by series. */
export class Histogram {
  readonly described: MetricDefinition;
  readonly #bounds: readonly number[];
  readonly #buckets: BySeries<Buckets>;

  /** @param bounds upper ones, inclusive, ascending. */
  constructor(
    described: MetricDefinition,
    bounds: readonly number[],
    known: readonly LabelValues[] = described.labels.length === 0 ? [[]] : [],
  ) {
    this.described = described;
    this.#bounds = bounds;
    this.#buckets = new BySeries(() => ({ counts: new Float64Array(bounds.length + 1), sum: 0 }));
    for (const [first = '', second = ''] of known) this.#buckets.get(first, second, '');
  }

  observe(value: number, first: string | number = '', second: string | number = ''): void {
    const buckets = this.#buckets.get(first, second, '');
    const bounds = this.#bounds;
    let index = 0;
    while (index < bounds.length && value > (bounds[index] as number)) index++;
    buckets.counts[index] = (buckets.counts[index] as number) + 1;
    buckets.sum += value;
  }

  samples(): Sample[] {
    return this.#buckets.all.flatMap(({ series, kept }) => this.#samplesOf(series, kept));
  }

  #samplesOf(series: LabelValues, { counts, sum }: Buckets): Sample[] {
    const { name } = this.described;
    const labels = labelsOf(this.described, series);
    let below = 0;
    const cumulative = [...this.#bounds, '+Inf'].map((le, index) => {
      below += counts[index] as number;
      return { labels: { le, ...labels }, value: below, metricName: `${name}_bucket` };
    });
    return [
      ...cumulative,
      { labels, value: sum, metricName: `${name}_sum` },
      { labels, value: below, metricName: `${name}_count` },
    ];
  }
}
