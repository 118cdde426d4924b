import type { TopLevelSpec } from 'vega-lite';
import { type Axis, axisFor } from '../../../tools/plots/axis.ts';
import type { Frame } from '../../../tools/plots/draw.ts';
import { inks, type Style } from '../../../tools/plots/palette.ts';

export interface Bar {
  readonly label: string;
  readonly style: Style;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** The value as text beside the bar. */
  readonly text: string;
}

export interface Bars {
  readonly title: string;
  readonly x: Axis;
  readonly bars: readonly Bar[];
  /** The value at which bars begin. */
  readonly from: number;
}

/**
 * Horizontal bars with whiskers from the lowest to the highest round. Within a page, labels stand above the bars, which
 * leaves room for long ones.
 */
export function barsSpec({ title, x, bars, from }: Bars, frame: Frame): TopLevelSpec {
  const axis = axisFor(withRoom(x, bars, from, frame), [], frame.isNarrow);
  const isAbove = !frame.isAlone;
  const step = isAbove ? 40 : 30;
  const order = bars.map(({ label }) => label);
  const y = {
    field: 'label',
    type: 'nominal',
    sort: order,
    scale: { paddingInner: isAbove ? 0.62 : 0.42, paddingOuter: isAbove ? 0.4 : 0.2 },
    axis: isAbove
      ? null
      : { title: null, labelLimit: 0, labelColor: inks.ink.light, ticks: false, domain: false },
  };
  const quantity = (field: string) => ({
    field,
    type: 'quantitative',
    scale: axis.scale,
    axis: { ...axis.ticks, title: axis.title, domain: false, grid: true },
  });
  const colour = {
    field: 'label',
    type: 'nominal',
    legend: null,
    scale: { domain: order, range: bars.map(({ style }) => style.light) },
  };
  const beside = (test: string, align: 'left' | 'right', field: string) => ({
    transform: [{ filter: test }],
    mark: { type: 'text', align, dx: align === 'left' ? 7 : -7, baseline: 'middle', fontWeight: 600 },
    encoding: { y, x: quantity(field), text: { field: 'text' } },
  });
  const layer: object[] = [
    {
      mark: { type: 'bar', cornerRadiusEnd: 2 },
      encoding: { y, x: quantity('value'), x2: { datum: from }, color: colour },
    },
    {
      transform: [{ filter: 'datum.low < datum.high' }],
      mark: { type: 'rule', color: inks.whisker.light, strokeWidth: 1.5 },
      encoding: { y, x: quantity('low'), x2: { field: 'high' } },
    },
    ...['low', 'high'].map((end) => ({
      transform: [{ filter: 'datum.low < datum.high' }],
      mark: { type: 'tick', color: inks.whisker.light, thickness: 1.5, size: 9 },
      encoding: { y, x: quantity(end) },
    })),
    beside(`datum.value >= ${from}`, 'left', 'high'),
    beside(`datum.value < ${from}`, 'right', 'low'),
  ];
  if (from > 0) {
    const x = { ...quantity('value'), datum: from, field: undefined };
    layer.unshift({ mark: { type: 'rule', color: inks.axis.light }, encoding: { x } });
  }
  if (isAbove) {
    const encoding = { y, x: { value: 0 }, text: { field: 'label' } };
    const mark = { type: 'text', align: 'left', baseline: 'bottom', dy: -11 };
    // The outline keeps a label readable where it crosses a grid line.
    layer.push({ mark: { ...mark, stroke: inks.card.light, strokeWidth: 4 }, encoding }, { mark, encoding });
  }
  return {
    height: bars.length * step + (isAbove ? 40 : 50),
    ...(frame.isAlone ? { title: { text: title } } : {}),
    data: { values: bars.map(({ label, value, low, high, text }) => ({ label, value, low, high, text })) },
    layer,
  } as TopLevelSpec;
}

/** Extends the axis to leave room for the text beside the bars. */
function withRoom(axis: Axis, bars: readonly Bar[], from: number, { isNarrow }: Frame): Axis {
  const low = Math.min(from, ...bars.map((bar) => bar.low));
  const high = Math.max(from, ...bars.map((bar) => bar.high));
  if (axis.scale !== 'log') return { ...axis, domain: [0, high * (isNarrow ? 1.35 : 1.18)] };
  const room = (high / low) ** (isNarrow ? 0.28 : 0.18);
  return { ...axis, domain: [low < from ? low / room : low / 1.05, high * room] };
}
