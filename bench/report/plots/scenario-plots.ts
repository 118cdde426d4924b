import type { Plot } from '../../../tools/plots/draw.ts';
import type { ScenarioResult } from '../../results.ts';
import type { ContestantStyles } from '../contestant-styles.ts';
import { meaningOf } from '../figure-names.ts';
import { type Group, groupsOfAll, isOpenLoop, mainFigure } from '../summary.ts';
import { figurePlot, memoryPlot } from './figure-bars.ts';
import { latenciesToPlot, latencyPlots } from './latency.ts';
import { outcomePlots } from './outcome.ts';
import { overTimePlots } from './over-time.ts';
import { speedUpPlots, speedUpsOf } from './speed-up.ts';
import { figureMeasure, p99Measure, type Sweep, sweepPlot, sweepsOf } from './sweep.ts';

/** The plots of a scenario, the most important ones first. */
export function plotsOf(scenario: ScenarioResult, styles: ContestantStyles): Plot[] {
  const groups = groupsOfAll(scenario).filter(({ runs }) => runs.length > 0);
  const figure = mainFigure(scenario, groups);
  const sweeps = sweepsOf(groups);
  const still = groups.filter((group) => !sweeps.some((sweep) => sweep.groups.includes(group)));
  const speedUps = still.length === 0 ? [] : speedUpsOf(scenario);
  return [
    ...overTimePlots(groups),
    ...speedUpPlots(speedUps, styles),
    ...stillPlots(still, figure, styles),
    ...sweeps.flatMap((sweep) => plotsOfSweep(sweep, figure, styles)),
    ...(scenario.name === 'flash-sale'
      ? outcomePlots(groups, styles)
      : latencyPlots(curvesOf(groups, still), figure, styles)),
    ...memoryPlot(still, styles),
  ];
}

/**
 * Plots of the scenario's main figure. Without a main figure, of all figures where higher or lower is better, except
 * rates and bytes.
 */
function stillPlots(groups: readonly Group[], figure: string | undefined, styles: ContestantStyles): Plot[] {
  const closed = groups.filter((group) => !isOpenLoop(group));
  if (figure !== undefined) return figurePlot(figure, closed.length > 1 ? closed : groups, styles);
  const names = [...new Set(groups.flatMap(({ figures }) => [...figures.keys()]))];
  return names
    .filter((name) => meaningOf(name).better !== 'neither' && !['bytes', '/s'].includes(meaningOf(name).unit))
    .flatMap((name) => figurePlot(name, groups, styles));
}

function plotsOfSweep(sweep: Sweep, figure: string | undefined, styles: ContestantStyles): Plot[] {
  const figures = [...new Set(sweep.groups.flatMap((group) => [...group.figures.keys()]))];
  // The steps of a growing queue have another rate: purchases queued per second.
  const main =
    figures.find((name) => name === figure) ?? figures.find((name) => meaningOf(name).unit === '/s');
  const shown = figures.filter((name) => name === main || ['bytes', 'µs'].includes(meaningOf(name).unit));
  const latencies = latenciesToPlot(sweep.groups);
  return [...shown.map(figureMeasure), ...latencies.map(p99Measure)].flatMap((measure) =>
    sweepPlot(sweep, measure, styles),
  );
}

/** A curve for each step of a sweep would be unreadable, so their p99 is drawn over the sweep instead. */
function curvesOf(groups: readonly Group[], still: readonly Group[]): readonly Group[] {
  return still.length > 0 ? still : groups.length <= 4 ? groups : [];
}
