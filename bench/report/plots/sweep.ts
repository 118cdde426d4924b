import { legendsFor, type Plot } from '../../../tools/plots/draw.ts';
import type { ContestantStyles } from '../contestant-styles.ts';
import { latencyLabel, meaningOf, offeredParameters, parameterLabel, type Unit } from '../figure-names.ts';
import { formatNumber, formatValue, type Spread, spreadOf } from '../numbers.ts';
import { type Group, labelOf } from '../summary.ts';
import { linesSpec, type Series } from './lines.ts';
import { capital, nameGroups } from './naming.ts';

/** Groups that differ in one numeric parameter. */
export interface Sweep {
  readonly parameter: string;
  readonly groups: readonly Group[];
}

/** At least three values are a sweep if the largest is ten times the smallest, or if they are offered rates. */
export function sweepsOf(groups: readonly Group[]): Sweep[] {
  const names = [...new Set(groups.flatMap(({ parameters }) => Object.keys(parameters)))];
  return names.flatMap((parameter) => {
    const members = groups.filter(({ parameters }) => typeof parameters[parameter] === 'number');
    const swept = members.filter(({ contestant }) => {
      const siblings = members.filter((group) => group.contestant === contestant);
      return isRange(parameter, siblings);
    });
    return swept.length === 0 ? [] : [{ parameter, groups: swept }];
  });
}

function isRange(parameter: string, groups: readonly Group[]): boolean {
  const values = [...new Set(groups.map((group) => Number(group.parameters[parameter])))];
  const isWide = Math.max(...values) >= 10 * Math.min(...values);
  const isSize = isWide && !['callers', 'sockets'].includes(parameter);
  return values.length >= 3 && (isSize || offeredParameters.includes(parameter));
}

interface Measure {
  readonly title: string;
  readonly unit: Unit;
  readonly scale: 'linear' | 'log';
  readonly of: (group: Group) => Spread | undefined;
}

export function figureMeasure(figure: string): Measure {
  const { label, unit } = meaningOf(figure);
  const scale = unit === 'bytes' ? 1e-6 : unit === 'share' ? 100 : 1;
  const shown = unit === 'bytes' ? 'MB' : unit === 'share' ? '%' : unit === '/s' ? 'per second' : unit;
  const of = ({ figures }: Group) => scaled(figures.get(figure), scale);
  return {
    title: shown === '' ? label : `${label}, ${shown}`,
    unit: scale === 1 ? unit : '',
    scale: 'linear',
    of,
  };
}

export function p99Measure(latency: string): Measure {
  const title = `p99 ${latencyLabel(latency)}, ms`;
  return { title, unit: 'ms', scale: 'log', of: ({ latencies }) => latencies.get(latency)?.p99 };
}

/** One measure over the parameter of a sweep; empty if no group has the measure. */
export function sweepPlot({ parameter, groups }: Sweep, measure: Measure, styles: ContestantStyles): Plot[] {
  const measured = groups.filter((group) => measure.of(group) !== undefined);
  const series = seriesOf(measured, parameter, measure, styles).filter(({ points }) => points.length > 1);
  if (series.length === 0) return [];
  const isOffered = offeredParameters.includes(parameter);
  const over = isOffered ? 'offered load' : parameterLabel(parameter);
  const title = `${capital(measure.title.split(',')[0] ?? '')} ${isOffered ? 'against' : 'over'} ${over}`;
  const xs = series.flatMap(({ points }) => points.map(({ x }) => x));
  const isLog = Math.max(...xs) >= 50 * Math.min(...xs) && Math.min(...xs) > 0;
  const end = Math.min(
    Math.max(...xs),
    Math.max(...series.flatMap(({ points }) => points.map(({ y }) => y))),
  );
  const showsOffered = isOffered && measure.unit === '/s' && !isLog;
  return [
    {
      title,
      alt: `${title}. ${series.map((line) => `${line.label}: ${worded(line, measure)}`).join('; ')}.`,
      hint: `Points are medians, whiskers the rounds’ least and most.${showsOffered ? ' On the dotted line all that was offered is done.' : ''}`,
      legends: legendsFor(series),
      spec: (frame) =>
        linesSpec(
          {
            title,
            x: {
              title: isOffered ? 'offered per second' : over,
              scale: isLog ? 'log' : 'linear',
            },
            y: { title: measure.title, scale: measure.scale },
            series,
            marks: true,
            ...(showsOffered
              ? {
                  guide: [
                    { x: 0, y: 0 },
                    { x: end, y: end },
                  ],
                }
              : {}),
          },
          frame,
        ),
    },
  ];
}

/** One line for each contestant and each set of other parameters. */
function seriesOf(
  groups: readonly Group[],
  parameter: string,
  measure: Measure,
  styles: ContestantStyles,
): Series[] {
  const rest = ({ parameters }: Group) => {
    const { [parameter]: _swept, load, ...others } = parameters;
    return labelOf(
      offeredParameters.includes(parameter) || load === undefined ? others : { ...others, load },
    );
  };
  const firsts = groups.filter(
    (group, index) =>
      groups.findIndex((other) => other.contestant === group.contestant && rest(other) === rest(group)) ===
      index,
  );
  return nameGroups(firsts, styles, rest).map(({ group: first, label, style }) => ({
    label: label === '' ? first.contestant.title : label,
    style,
    points: groups
      .filter((group) => group.contestant === first.contestant && rest(group) === rest(first))
      .flatMap((group) => {
        const spread = measure.of(group);
        const x = xOf(group, parameter);
        return spread ? [{ x, y: spread.median, low: spread.min, high: spread.max }] : [];
      })
      .toSorted((a, b) => a.x - b.x),
  }));
}

/** The offered rate depends on the ceiling of its round, so the median of the rounds is the position. */
function xOf({ parameters, runs }: Group, parameter: string): number {
  const values = runs.map((run) => Number(run.parameters[parameter]));
  return values.length > 0 ? spreadOf(values).median : Number(parameters[parameter]);
}

function worded({ points }: Series, { unit }: Measure): string {
  return points.map(({ x, y }) => `${formatValue(y, unit)} at ${formatNumber(x)}`).join(', ');
}

function scaled(spread: Spread | undefined, scale: number): Spread | undefined {
  if (!spread || scale === 1) return spread;
  const { median, min, max, rounds } = spread;
  return { median: median * scale, min: min * scale, max: max * scale, rounds };
}
