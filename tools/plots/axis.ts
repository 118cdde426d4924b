/** What one axis shows. */
export interface Axis {
  readonly title: string;
  /** `log`: where the values span enough to need it. */
  readonly scale: 'linear' | 'log' | 'percentile';
  /** Behind each label: `×`. */
  readonly suffix?: string;
  /** Linear axes begin at 0 unless this says otherwise. */
  readonly domain?: readonly [number, number];
}

/** The scale, the ticks and the labels of an axis over these values, in terms of Vega-Lite. */
export function axisFor(axis: Axis, values: readonly number[], isNarrow: boolean) {
  if (axis.scale === 'percentile') return percentileAxis(axis.title, values, isNarrow);
  const [low, high] = axis.domain ?? extent(values);
  if (isLog(axis, values)) {
    const domain = axis.domain ?? [low * 0.9, high * 1.1];
    return {
      scale: { type: 'log' as const, domain, nice: false },
      ticks: { values: logTicks(domain, isNarrow ? 5 : 8), labelOverlap: false, ...label(axis.suffix) },
      title: `${axis.title}, log axis`,
    };
  }
  return {
    scale: {
      type: 'linear' as const,
      domain: axis.domain ?? [Math.min(0, low), high * 1.05],
      nice: !axis.domain,
    },
    ticks: { tickCount: isNarrow ? 4 : 7, ...label(axis.suffix) },
    title: axis.title,
  };
}

/** Less than half a decade has too few ticks on a log axis to be read. */
function isLog({ scale, domain }: Axis, values: readonly number[]): boolean {
  const [low, high] = domain ?? extent(values);
  return scale === 'log' && low > 0 && high >= 5 * low;
}

/** Where a percentile stands: each step to the right leaves out a tenth of what was left. */
export function percentilePosition(percentile: number): number {
  return -Math.log10(1 - percentile / 100);
}

const percentiles = [0, 50, 90, 99, 99.9, 99.99];

function percentileAxis(title: string, values: readonly number[], isNarrow: boolean) {
  const end = Math.max(1, ...values);
  const shown = percentiles.filter(
    (p) => percentilePosition(p) <= end + 0.01 && !(p === 0 && (isNarrow || end > 3)),
  );
  const positions = shown.map((p) => Number(percentilePosition(p).toFixed(4)));
  const names = shown.map((p) => `${p} %`);
  const expression = positions
    .map((position, index) => `abs(datum.value - ${position}) < 0.001 ? '${names[index]}' : `)
    .join('');
  return {
    scale: { type: 'linear' as const, domain: [0, end], nice: false },
    ticks: { values: positions, labelExpr: `${expression}''`, labelFlush: true, labelOverlap: false },
    title,
  };
}

/** Powers of ten, with 2 and 5 (or 3) between where there is room. */
function logTicks([low, high]: readonly [number, number], ticksMax: number): number[] {
  const steps = [[1, 2, 5], [1, 3], [1]];
  for (const step of steps) {
    const ticks = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
      for (const factor of step) ticks.push(Number((factor * 10 ** power).toPrecision(1)));
    }
    const inside = ticks.filter((tick) => tick >= low && tick <= high);
    if (inside.length <= ticksMax && inside.length >= 2) return inside;
  }
  return [];
}

function label(suffix = '') {
  return { labelExpr: `format(datum.value, ',')${suffix === '' ? '' : ` + '${suffix}'`}` };
}

function extent(values: readonly number[]): [number, number] {
  return values.length === 0 ? [0, 1] : [Math.min(...values), Math.max(...values)];
}
