/** The title, scale and labels of one axis. */
export interface Axis {
  readonly title: string;
  /** `log` is used only if the values span at least half a decade. */
  readonly scale: 'linear' | 'log' | 'percentile';
  /** Appended to each label: `×`. */
  readonly suffix?: string;
  /** By default linear axes begin at 0. */
  readonly domain?: readonly [number, number];
}

/** The scale, ticks and labels of an axis for these values, in terms of Vega-Lite. */
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

/** A log axis over less than half a decade would have too few ticks. */
function isLog({ scale, domain }: Axis, values: readonly number[]): boolean {
  const [low, high] = domain ?? extent(values);
  return scale === 'log' && low > 0 && high >= 5 * low;
}

/** The position on a percentile axis: each unit leaves out a tenth of the slowest rest, so 90 is at 1 and 99 at 2. */
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

/** Powers of ten, and 2 and 5 (or 3) times them if there is room. */
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
