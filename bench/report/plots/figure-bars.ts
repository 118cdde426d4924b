import type { Plot } from '../../../tools/plots/draw.ts';
import { seriesStyle } from '../../../tools/plots/palette.ts';
import type { ContestantStyles } from '../contestant-styles.ts';
import { meaningOf } from '../figure-names.ts';
import { formatValue } from '../numbers.ts';
import { bestOf, type Group } from '../summary.ts';
import { type Bar, barsSpec } from './bars.ts';
import { capital, nameGroups } from './naming.ts';

const barsMax = 8;

/** One figure of each contestant side by side; no plot for a single bar or if all are 0. */
export function figurePlot(figure: string, groups: readonly Group[], styles: ContestantStyles): Plot[] {
  const { label, unit } = meaningOf(figure);
  const factor = unit === 'bytes' ? 1e-6 : unit === 'share' ? 100 : 1;
  const shownUnit = unit === 'bytes' ? 'MB' : unit === 'share' ? '%' : unit === '/s' ? 'per second' : unit;
  const all = groups.filter(({ figures }) => figures.has(figure));
  const measured = all.length > barsMax && unit === '/s' ? bestOfEach(all, figure) : all;
  const bars = nameGroups(measured, styles).flatMap((named): Bar[] => {
    const spread = named.group.figures.get(figure);
    if (!spread) return [];
    const [value, low, high] = [spread.median, spread.min, spread.max].map((of) => of * factor) as [
      number,
      number,
      number,
    ];
    return [
      { label: named.label, style: named.style, value, low, high, text: formatValue(spread.median, unit) },
    ];
  });
  const axis = shownUnit === '' ? label : `${label}, ${shownUnit}`;
  const isWorthIt = bars.length > 1 && bars.some(({ value }) => value > 0);
  return isWorthIt ? [plotOf(capital(label), axis, bars, measured.length < all.length)] : [];
}

/** All figures in bytes in one plot: memory before, during and after the load. */
export function memoryPlot(groups: readonly Group[], styles: ContestantStyles): Plot[] {
  const named = nameGroups(groups, styles);
  const bars = named.flatMap(({ group, label, style }) =>
    [...group.figures].flatMap(([figure, spread], index): Bar[] => {
      const meaning = meaningOf(figure);
      if (meaning.unit !== 'bytes') return [];
      const [value, low, high] = [spread.median, spread.min, spread.max].map((of) => of / 1e6) as [
        number,
        number,
        number,
      ];
      const text = formatValue(spread.median, 'bytes');
      const full = named.length > 1 ? `${label}: ${meaning.label}` : meaning.label;
      return [{ label: full, style: named.length > 1 ? style : seriesStyle(index), value, low, high, text }];
    }),
  );
  return bars.length > 1 && bars.every(({ low }) => low >= 0) ? [plotOf('Memory', 'resident, MB', bars)] : [];
}

function bestOfEach(groups: readonly Group[], figure: string): Group[] {
  const contestants = [...new Set(groups.map(({ contestant }) => contestant))];
  return contestants.flatMap((contestant) => {
    return (
      bestOf(
        groups.filter((group) => group.contestant === contestant),
        figure,
      ) ?? []
    );
  });
}

function plotOf(title: string, axis: string, bars: readonly Bar[], isBest = false): Plot {
  return {
    title,
    alt: `${title}. ${bars.map((bar) => `${bar.label}: ${bar.text}`).join('; ')}.`,
    hint: `Bars are medians, whiskers the rounds’ least and most.${isBest ? ' Each at its best; the table has the rest.' : ''}`,
    legends: {},
    spec: (frame) => barsSpec({ title, x: { title: axis, scale: 'linear' }, bars, from: 0 }, frame),
  };
}
