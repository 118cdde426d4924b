/** A metric family in Prometheus's text format. */
export interface MetricFamily {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped';
  readonly help: string;
  readonly samples: readonly ExposedSample[];
}

export interface ExposedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const metricName = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const comment = new RegExp(`^# (HELP|TYPE) (${metricName}) (.*)$`);
const sampleLine = new RegExp(`^(${metricName})(?:\\{(.*)\\})? (\\S+)( -?\\d+)?$`);
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=.)|$)/gy;
const number = /^(?:[+-]?Inf|NaN|[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/i;
const types = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];

/**
 * Parses the text format 0.0.4 strictly (https://prometheus.io/docs/instrumenting/exposition_formats/). Everything that
 * Prometheus would drop or its linter would report is an error.
 * @throws Error with the line that is wrong.
 */
export function readExposition(text: string): ReadonlyMap<string, MetricFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, MetricFamily & { samples: ExposedSample[] }>();
  const helps = new Map<string, string>();
  const seen = new Set<string>();
  let present: (MetricFamily & { samples: ExposedSample[] }) | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue;
    const fail = (why: string): never => {
      throw new Error(`${why}: ${line}`);
    };
    const [, kind, about = '', rest = ''] = comment.exec(line) ?? [];
    if (kind === 'HELP') {
      if (helps.has(about)) fail('a second HELP');
      if (rest.trim() === '' || /\\(?![\\n])/.test(rest)) fail('no help');
      helps.set(about, rest);
    } else if (kind === 'TYPE') {
      if (families.has(about)) fail('a second TYPE');
      if (!types.includes(rest)) fail('no such type');
      const help = helps.get(about) ?? fail('a TYPE before its HELP');
      present = { name: about, type: rest as MetricFamily['type'], help, samples: [] };
      families.set(about, present);
    } else if (line.startsWith('#')) fail('a comment of another form');
    else {
      const sample = readSample(line, fail);
      const family =
        present !== undefined && isOf(sample.name, present) ? present : fail('outside of its family');
      const series = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
      if (seen.has(series)) fail('a series twice');
      seen.add(series);
      family.samples.push(sample);
    }
  }
  for (const family of families.values()) checkValues(family);
  return families;
}

/** The samples by series, which is the name with the labels as written. @throws Error as {@link readExposition}. */
export function samplesOf(text: string): ReadonlyMap<string, number> {
  const samples = [...readExposition(text).values()].flatMap((family) => family.samples);
  return new Map(samples.map(({ name, labels, value }) => [seriesOf(name, labels), value]));
}

function seriesOf(name: string, labels: ExposedSample['labels']): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${text}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}

function readSample(line: string, fail: (why: string) => never): ExposedSample {
  const [, name = '', inside = '', value = ''] = sampleLine.exec(line) ?? fail('no sample');
  if (!number.test(value)) fail('no number');
  const labels: Record<string, string> = {};
  let read = 0;
  for (const [whole, key = '', text = ''] of inside.matchAll(label)) {
    if (Object.hasOwn(labels, key)) fail('a label twice');
    if (key.startsWith('__')) fail('a label that is reserved');
    labels[key] = text;
    read += whole.length;
  }
  if (read !== inside.length) fail('labels that cannot be read');
  return { name, labels, value: Number(value.replace(/inf/i, 'Infinity')) };
}

function isOf(name: string, { name: family, type }: MetricFamily): boolean {
  if (type === 'histogram') return ['_bucket', '_sum', '_count'].some((end) => name === family + end);
  if (type === 'summary') return name === family || ['_sum', '_count'].some((end) => name === family + end);
  return name === family;
}

/** Checks that counters are not negative, and that histograms are cumulative, end at +Inf and have matching counts. */
function checkValues({ name, type, samples }: MetricFamily): void {
  if (type === 'counter' && samples.some(({ value }) => !(value >= 0)))
    throw new Error(`${name} is negative`);
  if (type !== 'histogram') return;
  const byLabels = Map.groupBy(samples, ({ labels: { le: _, ...rest } }) => JSON.stringify(rest));
  for (const [labels, all] of byLabels) {
    const fail = (why: string) => {
      throw new Error(`${name} ${labels}: ${why}`);
    };
    const buckets = all.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels: { le = '' } }) => Number(le.replace('Inf', 'Infinity')));
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY) fail('no +Inf at the end');
    if (bounds.some((bound, index) => Number.isNaN(bound) || bound <= (bounds[index - 1] ?? -1)))
      fail('bounds');
    if (buckets.some(({ value }, index) => value < (buckets[index - 1]?.value ?? 0))) fail('not cumulative');
    const count = all.filter((sample) => sample.name === `${name}_count`).map(({ value }) => value);
    if (count.length !== 1 || count[0] !== buckets.at(-1)?.value) fail('its count is another');
    if (all.filter((sample) => sample.name === `${name}_sum`).length !== 1) fail('no sum');
  }
}
