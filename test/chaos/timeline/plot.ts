import type { TopLevelSpec } from 'vega-lite';
import type { LegendEntry, Plot } from '../../../tools/plots/draw.ts';
import { inks, seriesStyle } from '../../../tools/plots/palette.ts';
import { damages, type PurchaseResult, results } from './colours.ts';
import { damageOf, type FaultLane, shortName } from './fault-lanes.ts';
import type { Bin } from './seconds.ts';

/** The data of all plots, which share one time axis. */
export interface Timeline {
  /** Beginning and end of the axis in ms since 1970. */
  readonly from: number;
  readonly to: number;
  readonly bins: (binsMax: number) => readonly Bin[];
  readonly lanes: readonly FaultLane[];
  readonly phases: readonly { readonly at: number; readonly phase: string }[];
}

interface Frame {
  /** The width of each plot in pixels, without its labels. */
  readonly width: number;
  readonly isNarrow: boolean;
}

/** The width of the labels. Equal labels align the time axes of all plots. */
const labelsWidth = 44;
const laneTitleHeight = 19;
const rowHeight = 10;
const laneGap = 6;

const p50 = { label: 'latency p50', style: seriesStyle(0) };
const p99 = { label: 'latency p99', style: seriesStyle(1) };

const hint =
  'Each request counts in the second in which it was answered, or in which its client gave up. Latency is that of answered ' +
  'requests; it includes the customer’s wait for an outcome. Each row of faults is one target: 1 is the first of its ' +
  'kind; “from 1” and “to 1” are the network of the first instance.';

/** Throughput, latency and faults, one below the other. */
export function timelinePlot(timeline: Timeline, alt: string): Plot {
  return {
    title: 'Answers and faults over time',
    alt,
    hint,
    legends: {
      Answers: areas('result-', results),
      Latency: [p50, p99],
      Faults: areas('damage-', damages),
    },
    spec: ({ isNarrow }) => plotSpec(timeline, { width: isNarrow ? 300 : 1_000, isNarrow }),
  };
}

function areas(prefix: string, named: Readonly<Record<string, { readonly label: string }>>): LegendEntry[] {
  return Object.entries(named).map(([name, { label }]) => ({ label, colour: `${prefix}${name}` }));
}

function plotSpec(timeline: Timeline, frame: Frame): TopLevelSpec {
  const bins = timeline.bins(frame.isNarrow ? 150 : 450);
  return {
    padding: { left: 2, right: 14, top: 4, bottom: 2 },
    spacing: 40,
    bounds: 'flush',
    resolve: { scale: { color: 'independent' } },
    vconcat: [throughput(timeline, bins, frame), latency(timeline, bins, frame), faults(timeline, frame)],
  } as TopLevelSpec;
}

function throughput(timeline: Timeline, bins: readonly Bin[], frame: Frame): object {
  const names = Object.keys(results) as PurchaseResult[];
  const rows = bins.flatMap(({ at, perSecond }) =>
    names.map((result, order) => ({ at: at - timeline.from, result, order, count: perSecond[result] })),
  );
  const y = { field: 'count', type: 'quantitative', stack: 'zero', axis: yAxis({ tickCount: 5 }) };
  const colour = { domain: names, range: names.map((name) => results[name].light) };
  return {
    ...part(frame, 'Purchases answered per second', frame.isNarrow ? 170 : 220),
    data: { values: rows },
    layer: [
      {
        mark: { type: 'area', interpolate: 'monotone' },
        encoding: {
          x: xOf(timeline, frame, { labels: false }),
          y,
          color: { field: 'result', type: 'nominal', legend: null, scale: colour },
          order: { field: 'order' },
        },
      },
      ...phaseMarks(timeline, frame, { isNamed: true, hasLabels: false }),
    ],
  };
}

function latency(timeline: Timeline, bins: readonly Bin[], frame: Frame): object {
  const rows = bins.flatMap((bin) =>
    // A null interrupts the line at a time without answers.
    (['p99', 'p50'] as const).map((name) => ({ at: bin.at - timeline.from, name, ms: bin[name] ?? null })),
  );
  const values = rows.flatMap(({ ms }) => ms ?? []);
  const domain: [number, number] = [Math.max(1, Math.min(...values) * 0.8), Math.max(10, ...values) * 1.25];
  const ticks = logTicks(domain);
  const labelExpr = "datum.value >= 1000 ? datum.value / 1000 + ' s' : datum.value + ' ms'";
  return {
    ...part(frame, 'Latency of the answers, log axis', frame.isNarrow ? 130 : 150),
    data: { values: rows },
    layer: [
      {
        mark: { type: 'line', strokeWidth: 1.5, strokeJoin: 'round', clip: true },
        encoding: {
          x: xOf(timeline, frame, { labels: false }),
          y: {
            field: 'ms',
            type: 'quantitative',
            scale: { type: 'log', domain, nice: false },
            axis: yAxis({ values: ticks, labelExpr, labelOverlap: false }),
          },
          color: {
            field: 'name',
            type: 'nominal',
            legend: null,
            scale: { domain: ['p50', 'p99'], range: [p50.style.light, p99.style.light] },
          },
        },
      },
      ...phaseMarks(timeline, frame, { isNamed: false, hasLabels: false }),
    ],
  };
}

/** Ticks at powers of ten. With fewer than three such ticks, also at 2 and 5 times the powers. */
function logTicks([low, high]: readonly [number, number]): number[] {
  const powers = [1, 10, 100, 1_000, 10_000, 100_000];
  const inside = (ticks: readonly number[]) => ticks.filter((tick) => tick >= low && tick <= high);
  const few = inside(powers);
  return few.length > 2 ? few : inside(powers.flatMap((power) => [power, 2 * power, 5 * power]));
}

/** The lanes of faults. Each lane has a title, and below the title a row for each target. */
function faults(timeline: Timeline, frame: Frame): object {
  const leastMs = ((timeline.to - timeline.from) / frame.width) * 2;
  let top = 0;
  const titles: object[] = [];
  const grounds: object[] = [];
  const bars: object[] = [];
  const names: object[] = [];
  for (const { title, rows, count } of timeline.lanes) {
    titles.push({ y: top + laneTitleHeight - 5, text: `${title}: ${count}` });
    top += laneTitleHeight;
    const height = rows.length * (rowHeight + 1) + 1;
    grounds.push({ y: top, y2: top + height, at: 0, until: timeline.to - timeline.from });
    for (const [index, row] of rows.entries()) {
      const y = top + 1 + index * (rowHeight + 1);
      names.push({ y: y + rowHeight / 2, text: row[0] === undefined ? '' : shortName(row[0].target) });
      for (const { at, until = at, fault } of row) {
        const ends = Math.max(until, at + leastMs) - timeline.from;
        bars.push({ at: at - timeline.from, until: ends, y, y2: y + rowHeight, damage: damageOf(fault) });
      }
    }
    top += height + laneGap;
  }
  const colour = { domain: Object.keys(damages), range: Object.values(damages).map(({ light }) => light) };
  const pixels = (field: string) => ({ field, type: 'quantitative', scale: null, axis: null });
  const span = {
    x: xOf(timeline, frame, { labels: true }),
    x2: { field: 'until' },
    y: pixels('y'),
    y2: { field: 'y2' },
  };
  return {
    ...part(frame, 'What was done to the cluster', Math.max(top, 20)),
    layer: [
      {
        data: { values: grounds },
        mark: { type: 'rect', color: inks.lane.light, clip: true },
        encoding: span,
      },
      {
        data: { values: bars },
        mark: { type: 'rect', clip: true },
        encoding: { ...span, color: { field: 'damage', type: 'nominal', legend: null, scale: colour } },
      },
      {
        data: { values: titles },
        mark: { type: 'text', align: 'left', baseline: 'alphabetic', color: inks.ink.light },
        encoding: { x: { value: 0 }, y: pixels('y'), text: { field: 'text' } },
      },
      {
        data: { values: names },
        mark: { type: 'text', align: 'right', fontSize: 9, color: inks.soft.light },
        encoding: { x: { value: -5 }, y: pixels('y'), text: { field: 'text' } },
      },
      ...phaseMarks(timeline, frame, { isNamed: false, hasLabels: true }),
    ],
  };
}

function part({ width, isNarrow }: Frame, title: string, height: number): object {
  return {
    width,
    height,
    title: { text: title, anchor: 'start', frame: 'group', fontSize: isNarrow ? 12 : 13, dx: 0, offset: 8 },
  };
}

/** A line at the beginning of each phase, except for the first one. */
function phaseMarks(
  timeline: Timeline,
  frame: Frame,
  { isNamed, hasLabels }: { readonly isNamed: boolean; readonly hasLabels: boolean },
): object[] {
  const values = timeline.phases
    .map(({ at, phase }) => ({ at: at - timeline.from, phase }))
    .filter(({ at }) => at > 1_000);
  if (values.length === 0) return [];
  const x = xOf(timeline, frame, { labels: hasLabels });
  const rule = {
    data: { values },
    mark: { type: 'rule', color: inks.soft.light, strokeDash: [3, 3], clip: true },
    encoding: { x },
  };
  const name = {
    // Only the first phase has a name, because the others begin so soon after that their names would overlap.
    data: { values: values.slice(0, 1) },
    mark: { type: 'text', align: 'right', baseline: 'top', dx: -4, color: inks.soft.light },
    encoding: { x, y: { value: 2 }, text: { field: 'phase' } },
  };
  return isNamed ? [rule, name] : [rule];
}

/** Distances between ticks in seconds: round numbers on a clock. */
const clockSteps = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400];

function xOf({ from, to }: Timeline, { isNarrow }: Frame, { labels }: { readonly labels: boolean }): object {
  const seconds = (to - from) / 1_000;
  const step = clockSteps.find((each) => seconds / each <= (isNarrow ? 5 : 12)) ?? 86_400;
  const values = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) => index * step * 1_000);
  const minutes = "floor(datum.value / 60000) + ':' + pad(floor(datum.value / 1000) % 60, 2, '0', 'left')";
  return {
    field: 'at',
    type: 'quantitative',
    scale: { domain: [0, to - from], nice: false },
    axis: {
      values,
      labelExpr: minutes,
      labels,
      labelOverlap: false,
      ticks: labels,
      grid: true,
      title: labels ? 'minutes since the start' : null,
    },
  };
}

function yAxis(more: object): object {
  return {
    title: null,
    domain: false,
    ticks: false,
    minExtent: labelsWidth,
    maxExtent: labelsWidth,
    ...more,
  };
}
