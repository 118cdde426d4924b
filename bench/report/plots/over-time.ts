import { legendsFor, type Plot } from '../../../tools/plots/draw.ts';
import { seriesStyle } from '../../../tools/plots/palette.ts';
import type { TimelineSecond } from '../../results.ts';
import { formatNumber, formatValue } from '../numbers.ts';
import type { Group } from '../summary.ts';
import { linesSpec, type Series } from './lines.ts';

/** More points could not be told apart. */
const pointsMax = 300;

/** Some seconds that are drawn as one point. */
interface Bin {
  /** The middle of the bin in seconds since the measured window began. */
  readonly at: number;
  readonly seconds: readonly TimelineSecond[];
}

/** Rates, errors and latencies over time, for each run with a timeline. */
export function overTimePlots(groups: readonly Group[]): Plot[] {
  const timelines = groups.flatMap(({ runs }) => runs.flatMap(({ timeline = [] }) => [timeline]));
  return timelines.flatMap((timeline) => {
    const bins = binsOf(timeline);
    if (bins.length < 2) return [];
    const end = timeline.length;
    return [requestsPlot(bins, end), ...errorsPlot(bins, end), ...latencyPlot(bins, end)];
  });
}

function requestsPlot(bins: readonly Bin[], end: number): Plot {
  const perSecond = (of: (second: TimelineSecond) => number) => pointsOf(bins, (bin) => mean(bin, of));
  const confirmed = perSecond(({ confirmed: count }) => count);
  const finished = perSecond((second) => second.finished);
  const hasOthers =
    finished.some(({ y }, index) => y !== confirmed[index]?.y) && confirmed.some(({ y }) => y > 0);
  const hasErrors = bins.some((bin) => mean(bin, failures) > 0);
  return plot({
    title: 'Requests over time',
    y: 'per second',
    unit: '/s',
    end,
    hint: `Each request counts in the second in which it was meant to be sent.${hasErrors ? '' : ' There were no errors.'}`,
    series: [
      { label: 'sent', style: seriesStyle(4), points: perSecond(allOf) },
      { label: 'finished', style: seriesStyle(0), points: finished },
      ...(hasOthers ? [{ label: 'confirmed', style: seriesStyle(2), points: confirmed }] : []),
    ],
  });
}

function errorsPlot(bins: readonly Bin[], end: number): Plot[] {
  const points = pointsOf(bins, (bin) => mean(bin, failures));
  if (points.every(({ y }) => y === 0)) return [];
  return [
    plot({
      title: 'Errors over time',
      y: 'errors per second',
      unit: '/s',
      end,
      hint: 'Answers that are errors, connections that failed, requests without an answer, and those that could not be sent in time.',
      series: [{ label: 'errors', style: seriesStyle(7), points }],
    }),
  ];
}

function latencyPlot(bins: readonly Bin[], end: number): Plot[] {
  const of = (name: 'p50' | 'p99') => pointsOf(bins, ({ seconds }) => most(seconds, name));
  const series = [
    { label: 'p99', style: seriesStyle(1), points: of('p99') },
    { label: 'p50', style: seriesStyle(0), points: of('p50') },
  ];
  if (series.every(({ points }) => points.length < 2)) return [];
  const together = bins.some(({ seconds }) => seconds.length > 1);
  return [
    plot({
      title: 'Latency over time',
      y: 'ms',
      unit: 'ms',
      end,
      hint: `From the intended send to the outcome, of each second.${together ? ' A point is the highest of some seconds.' : ''}`,
      series,
    }),
  ];
}

interface OverTime {
  readonly title: string;
  readonly y: string;
  readonly unit: string;
  readonly end: number;
  readonly hint: string;
  readonly series: readonly Series[];
}

function plot({ title, y, unit, end, hint, series }: OverTime): Plot {
  const worded = series.map(({ label, points }) => {
    const values = points.map((point) => point.y);
    return `${label}: ${formatNumber(Math.min(...values))} to ${formatValue(Math.max(...values), unit)}`;
  });
  return {
    title,
    alt: `${title}, ${formatNumber(end)} s. ${worded.join('; ')}.`,
    hint,
    legends: legendsFor(series),
    spec: (frame) =>
      linesSpec(
        {
          title,
          x: { title: 'seconds', scale: 'linear', domain: [0, end] },
          y: { title: y, scale: unit === 'ms' ? 'log' : 'linear' },
          series,
          marks: false,
        },
        frame,
      ),
  };
}

function binsOf(timeline: readonly TimelineSecond[]): Bin[] {
  const size = Math.ceil(timeline.length / pointsMax);
  const bins: Bin[] = [];
  for (let first = 0; first < timeline.length; first += size) {
    const seconds = timeline.slice(first, first + size);
    bins.push({ at: first + seconds.length / 2, seconds });
  }
  return bins;
}

/** Leaves out bins without a value. */
function pointsOf(bins: readonly Bin[], value: (bin: Bin) => number | undefined): Series['points'] {
  return bins.flatMap((bin) => {
    const y = value(bin);
    return y === undefined ? [] : [{ x: bin.at, y }];
  });
}

function mean({ seconds }: Bin, of: (second: TimelineSecond) => number): number {
  return seconds.reduce((sum, second) => sum + of(second), 0) / seconds.length;
}

function most(seconds: readonly TimelineSecond[], name: 'p50' | 'p99'): number | undefined {
  const values = seconds.flatMap((second) => second[name] ?? []);
  return values.length === 0 ? undefined : Math.max(...values);
}

function failures({ errors, dropped }: TimelineSecond): number {
  return errors + dropped;
}

function allOf(second: TimelineSecond): number {
  return second.finished + second.accepted + failures(second);
}
