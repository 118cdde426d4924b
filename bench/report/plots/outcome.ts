import { legendsFor, type Plot } from '../../../tools/plots/draw.ts';
import type { ContestantStyles } from '../contestant-styles.ts';
import { latencyLabel } from '../figure-names.ts';
import { formatValue } from '../numbers.ts';
import type { Group } from '../summary.ts';
import { linesSpec } from './lines.ts';
import { nameGroups } from './naming.ts';

/** The cumulative share of final outcomes over time, for a crowd that buys at one instant. */
export function outcomePlots(groups: readonly Group[], styles: ContestantStyles): Plot[] {
  return ['outcome', 'refusal'].flatMap((name) => {
    const shown = groups.filter(({ latencies }) => (latencies.get(name)?.curve.length ?? 0) > 1);
    return shown.length === 0 ? [] : [outcomePlot(name, shown, styles)];
  });
}

function outcomePlot(name: string, groups: readonly Group[], styles: ContestantStyles): Plot {
  const title = name === 'outcome' ? 'Time to the final outcome' : `Time ${latencyLabel(name)}`;
  const named = nameGroups(groups, styles);
  const series = named.map(({ group, label, style }) => {
    const curve = group.latencies.get(name)?.curve ?? [];
    return { label, style, points: curve.map(([percentile, ms]) => ({ x: ms, y: percentile })) };
  });
  const figures = named.map(({ group, label }) => {
    const { p50, max } = group.latencies.get(name) ?? {};
    return `${label}: half by ${p50 ? formatValue(p50.median, 'ms') : '–'}, all by ${max ? formatValue(max.median, 'ms') : '–'}`;
  });
  return {
    title,
    alt: `${title}. ${figures.join('; ')}.`,
    hint: 'How many per cent had it by then, from the moment in which all pressed the button.',
    legends: legendsFor(series),
    spec: (frame) =>
      linesSpec(
        {
          title,
          x: { title: 'ms since the start', scale: 'linear' },
          y: { title: '% of them', scale: 'linear', domain: [0, 100] },
          series,
          marks: false,
        },
        frame,
      ),
  };
}
