import type { BenchResults, Run } from '../results.ts';

/** How version 1 counted `finished`. */
export const countedByArrival =
  'These results are of an earlier bench: it counted confirmed orders (201) alone, by when their answers came.';

/**
 * Converts results to the current version. In version 1 `finished` counted the answers 201 (202 for a growing queue)
 * that arrived in the window. Since version 2 it counts the final outcomes of requests that were scheduled in the
 * window. The older figure therefore gets another name.
 */
export function upgradeResults(results: BenchResults): BenchResults {
  return results.version === 1 ? withRuns(results, (run) => renamed(run, oldNameOf(run))) : results;
}

/**
 * Converts two results to figures that can be compared. If only one is of version 1, confirmed orders per second are
 * compared.
 */
export function makeComparable(a: BenchResults, b: BenchResults): readonly [BenchResults, BenchResults] {
  if (a.version === b.version) return [upgradeResults(a), upgradeResults(b)];
  const common = (results: BenchResults) =>
    results.version === 1 ? upgradeResults(results) : withRuns(results, withConfirmedAlone);
  return [common(a), common(b)];
}

function oldNameOf({ parameters }: Run): string {
  return parameters.waiting === undefined ? 'confirmedPerSecond' : 'queuedPerSecond';
}

function renamed(run: Run, name: string): Run {
  const figures = Object.entries(run.figures).map(([figure, value]) => [
    figure === 'finished' ? name : figure,
    value,
  ]);
  return { ...run, figures: Object.fromEntries(figures) };
}

function withConfirmedAlone(run: Run): Run {
  const { finished, ...others } = run.figures;
  return finished === undefined ? run : { ...run, figures: { confirmedPerSecond: finished, ...others } };
}

function withRuns(results: BenchResults, change: (run: Run) => Run): BenchResults {
  const scenarios = results.scenarios.map((scenario) => ({
    ...scenario,
    contestants: scenario.contestants.map((contestant) => ({
      ...contestant,
      runs: contestant.runs.map(change),
    })),
  }));
  return { ...results, scenarios };
}
