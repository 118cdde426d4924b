import type { TopLevelSpec } from 'vega-lite';
import { type Axis, axisFor } from '../../../tools/plots/axis.ts';
import type { Frame } from '../../../tools/plots/draw.ts';
import { inks, type Style } from '../../../tools/plots/palette.ts';

export interface Series {
  readonly label: string;
  readonly style: Style;
  readonly points: readonly Point[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
  /** Lowest and highest round. */
  readonly low?: number;
  readonly high?: number;
}

export interface Lines {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** Whether to mark each point; for few points. */
  readonly marks: boolean;
  /** A line to compare with, such as a goal or the offered load. */
  readonly guide?: readonly Point[];
}

/** Lines with whiskers from the lowest to the highest round. */
export function linesSpec(lines: Lines, frame: Frame): TopLevelSpec {
  const rows = lines.series.flatMap(({ label, points }) =>
    points.map((point) => ({ series: label, ...point })),
  );
  const x = axisFor(
    lines.x,
    rows.map((row) => row.x),
    frame.isNarrow,
  );
  const ys = rows.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y]);
  const y = axisFor(lines.y, [...ys, ...(lines.guide?.map((point) => point.y) ?? [])], frame.isNarrow);
  const legend = frame.isAlone ? { title: null, columns: 2 } : null;
  const domain = lines.series.map(({ label }) => label);
  const encoding = {
    x: {
      field: 'x',
      type: 'quantitative',
      scale: x.scale,
      axis: { ...x.ticks, title: x.title, grid: false },
    },
    y: {
      field: 'y',
      type: 'quantitative',
      scale: y.scale,
      axis: { ...y.ticks, title: null, domain: false, ticks: false },
    },
    color: {
      field: 'series',
      type: 'nominal',
      legend,
      scale: { domain, range: ofEach(lines, ({ light }) => light) },
    },
  };
  const dash = {
    field: 'series',
    type: 'nominal',
    legend,
    scale: { domain, range: ofEach(lines, (style) => style.dash) },
  };
  const shape = {
    field: 'series',
    type: 'nominal',
    legend,
    scale: { domain, range: ofEach(lines, (style) => style.shape) },
  };
  const layer: object[] = [
    ...guideLayers(lines, encoding),
    {
      mark: { type: 'line', strokeWidth: 2.25, strokeJoin: 'round' },
      encoding: { ...encoding, strokeDash: dash },
    },
  ];
  if (lines.marks) {
    layer.push({
      transform: [{ filter: 'isValid(datum.low) && datum.low < datum.high' }],
      mark: { type: 'rule', strokeWidth: 1.25, opacity: 0.8 },
      encoding: { ...encoding, y: { ...encoding.y, field: 'low' }, y2: { field: 'high' } },
    });
    layer.push({
      mark: { type: 'point', filled: true, size: 64, opacity: 1 },
      encoding: { ...encoding, shape },
    });
  }
  return {
    height: frame.isNarrow ? 250 : frame.isAlone ? 380 : 300,
    title: frame.isAlone
      ? { text: lines.title, subtitle: y.title }
      : {
          text: y.title,
          frame: 'group',
          fontSize: 11,
          fontWeight: 'normal',
          color: inks.soft.light,
          offset: 8,
        },
    data: { values: rows },
    layer,
  } as TopLevelSpec;
}

function guideLayers({ guide }: Lines, { x, y }: { x: object; y: object }): object[] {
  const mark = { type: 'line', strokeDash: [3, 4], color: inks.target.light, strokeWidth: 1.5 };
  return guide ? [{ data: { values: guide }, mark, encoding: { x, y } }] : [];
}

function ofEach<T>({ series }: Lines, pick: (style: Style) => T): T[] {
  return series.map(({ style }) => pick(style));
}
