import type { Plot } from '../../../tools/plots/draw.ts';
import type { ScenarioResult } from '../../results.ts';
import type { ContestantStyles } from '../contestant-styles.ts';
import { meaningOf } from '../figure-names.ts';
import { formatNumber, type Spread, spreadOf } from '../numbers.ts';
import { bestOf, type Group, groupsOf, mainFigure } from '../summary.ts';
import { type Bar, barsSpec } from './bars.ts';

/** Our rate divided by another contestant's, each at its best. */
export interface SpeedUp {
  readonly scenario: ScenarioResult;
  readonly ours: Group;
  readonly other: Group;
  readonly figure: string;
  /** The ratio of the medians; min and max are ratios within one round. */
  readonly ratio: Spread;
}

/** Compares each of our contestants with each other one; empty without others or without a common figure. */
export function speedUpsOf(scenario: ScenarioResult): SpeedUp[] {
  const figure = mainFigure(scenario, scenario.contestants.flatMap(groupsOf));
  if (figure === undefined) return [];
  const best = (isOurs: boolean) =>
    scenario.contestants
      .filter((contestant) => contestant.isOurs === isOurs)
      .flatMap((contestant) => bestOf(groupsOf(contestant), figure) ?? []);
  return best(true).flatMap((ours) =>
    best(false).flatMap((other) => {
      const ratio = ratioOf(ours, other, figure);
      return ratio ? [{ scenario, ours, other, figure, ratio }] : [];
    }),
  );
}

/**
 * Rounds are interleaved, so both contestants of a round ran under the same conditions: their ratio is computed per
 * round.
 */
function ratioOf(ours: Group, other: Group, figure: string): Spread | undefined {
  const [a, b] = [ours.figures.get(figure), other.figures.get(figure)];
  if (!a || !b || !(b.median > 0)) return undefined;
  const ratios = ours.runs.flatMap((run) => {
    const twin = other.runs.find(({ round }) => round === run.round);
    const [mine, theirs] = [run.figures[figure], twin?.figures[figure]];
    return mine !== undefined && theirs !== undefined && theirs > 0 ? [mine / theirs] : [];
  });
  const ratio = a.median / b.median;
  if (ratios.length === 0) return { median: ratio, min: ratio, max: ratio, rounds: 1 };
  const { min, max, rounds } = spreadOf(ratios);
  return { median: ratio, min: Math.min(min, ratio), max: Math.max(max, ratio), rounds };
}

/** One plot for each of our contestants. */
export function speedUpPlots(speedUps: readonly SpeedUp[], styles: ContestantStyles): Plot[] {
  const ours = [...new Set(speedUps.map((speedUp) => speedUp.ours))];
  return ours.flatMap((group) => {
    const title = ours.length > 1 ? `Speed-up of ${group.contestant.title}` : 'Speed-up';
    return (
      speedUpPlot(
        speedUps.filter((speedUp) => speedUp.ours === group),
        styles,
        title,
      ) ?? []
    );
  });
}

/** @param speedUps of one contestant of ours, in one or several scenarios. */
export function speedUpPlot(
  speedUps: readonly SpeedUp[],
  styles: ContestantStyles,
  title: string,
): Plot | undefined {
  const [first] = speedUps;
  if (!first) return undefined;
  const sorted = speedUps.toSorted((a, b) => b.ratio.median - a.ratio.median);
  const bars = sorted.flatMap(({ other: { contestant }, ratio }): Bar[] => {
    const style = styles.get(contestant.name);
    const { median, min, max } = ratio;
    if (!style || !(median > 0)) return [];
    return [
      {
        label: contestant.title,
        style,
        value: median,
        low: min,
        high: max,
        text: `${formatNumber(median)}×`,
      },
    ];
  });
  const ours = first.ours.contestant.title;
  const { label } = meaningOf(first.figure);
  return {
    title,
    alt: `${label} per second, ${ours} against: ${bars.map((bar) => `${bar.label}, ${bar.text}`).join('; ')}.`,
    hint: `The ratio of ${label} per second, ${ours} to the other, each at its best. Left of 1× the other is faster. Bars are medians, whiskers the rounds’ least and most.`,
    legends: {},
    spec: (frame) => {
      const x = {
        title: `times as many ${label} per second`,
        scale: 'log',
        suffix: '×',
      } as const;
      return barsSpec({ title, x, bars, from: 1 }, frame);
    },
  };
}
