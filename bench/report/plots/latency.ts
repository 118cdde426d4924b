import { percentilePosition } from '../../../tools/plots/axis.ts';
import { legendsFor, type Plot } from '../../../tools/plots/draw.ts';
import type { ContestantStyles } from '../contestant-styles.ts';
import { latencyLabel } from '../figure-names.ts';
import { formatValue } from '../numbers.ts';
import { bestOf, type Group, isOpenLoop } from '../summary.ts';
import { linesSpec, type Point } from './lines.ts';
import { type NamedGroup, nameGroups } from './naming.ts';

const seriesMax = 8;
/** The curve would not end without it: 100 % has no finite position on this axis. */
const lastPercentile = 99.999;

/**
 * Latencies by percentile, as HDR histograms are drawn. Runs of open loops come first: in a closed loop the latency
 * follows from the number of callers.
 */
export function latencyPlots(
  groups: readonly Group[],
  figure: string | undefined,
  styles: ContestantStyles,
): Plot[] {
  return latenciesToPlot(groups).flatMap((name) => {
    const all = groups.filter(({ latencies }) => (latencies.get(name)?.curve.length ?? 0) > 1);
    const open = all.filter(isOpenLoop);
    const shown = open.length > 0 ? fewEnough(open) : bestOfEach(all, figure);
    return shown.length === 0 ? [] : [latencyPlot(name, nameGroups(shown, styles), open.length > 0)];
  });
}

/**
 * Names of the latencies to plot. `outcome`, `refusal` and `answer` overlap, so only the first with at least half as
 * many samples as the largest is plotted. Other names are always plotted.
 */
export function latenciesToPlot(groups: readonly Group[]): string[] {
  const names = [...new Set(groups.flatMap(({ latencies }) => [...latencies.keys()]))];
  const counted = (name: string) => {
    return groups.reduce((sum, { latencies }) => sum + (latencies.get(name)?.count ?? 0), 0);
  };
  const most = Math.max(...ofAnswers.map(counted));
  const first = ofAnswers.find((name) => most > 0 && counted(name) >= most / 2);
  return names.filter((name) => name === first || !ofAnswers.includes(name));
}

const ofAnswers = ['outcome', 'refusal', 'answer'];

export function latencyPlot(
  name: string,
  named: readonly NamedGroup[],
  isOpen: boolean,
  title = `Latency ${latencyLabel(name)}`,
): Plot {
  const series = named.map(({ group, label, style }) => ({ label, style, points: pointsOf(group, name) }));
  const figures = named.map(({ group, label }) => {
    const { p50, p99 } = group.latencies.get(name) ?? {};
    return `${label}: p50 ${p50 ? formatValue(p50.median, 'ms') : '–'}, p99 ${p99 ? formatValue(p99.median, 'ms') : '–'}`;
  });
  const loop = isOpen
    ? ' Counted from the intended send time, so that a stall is not hidden.'
    : ofAnswers.includes(name)
      ? ' In a closed loop, where it follows from the number of callers.'
      : '';
  return {
    title,
    alt: `${title}, by percentile. ${figures.join('; ')}.`,
    hint: `A point says how many per cent were at least that fast; each step to the right is the slowest tenth of what was left.${loop}`,
    legends: legendsFor(series),
    spec: (frame) =>
      linesSpec(
        {
          title,
          x: { title: 'percentile', scale: 'percentile' },
          y: { title: 'ms', scale: 'log' },
          series,
          marks: false,
        },
        frame,
      ),
  };
}

function pointsOf(group: Group, name: string): Point[] {
  const curve = group.latencies.get(name)?.curve ?? [];
  return curve
    .filter(([percentile, ms]) => percentile <= lastPercentile && ms > 0)
    .map(([percentile, ms]) => ({ x: percentilePosition(percentile), y: ms }));
}

/** In a closed loop, only the parameters with which a contestant does most. */
function bestOfEach(groups: readonly Group[], figure: string | undefined): readonly Group[] {
  if (figure === undefined) return fewEnough(groups);
  const contestants = [...new Set(groups.map(({ contestant }) => contestant))];
  if (contestants.length < 3) return fewEnough(groups);
  return contestants.flatMap((contestant) => {
    return (
      bestOf(
        groups.filter((group) => group.contestant === contestant),
        figure,
      ) ?? []
    );
  });
}

/** The first and last parameters of each contestant if there are too many. */
function fewEnough(groups: readonly Group[]): readonly Group[] {
  if (groups.length <= seriesMax) return groups;
  const ends = groups.filter(({ contestant }, index) => {
    return groups[index - 1]?.contestant !== contestant || groups[index + 1]?.contestant !== contestant;
  });
  return ends.slice(0, seriesMax);
}
