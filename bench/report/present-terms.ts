import type { BenchResults, Run } from '../results.ts';

/** What `finished` was in results of version 1. */
export const countedByArrival =
  'These results are of an earlier bench: it counted confirmed orders (201) alone, by when their answers came.';

/**
 * Results in the words of this release. In version 1 `finished` was the answers 201 (in a growing queue: 202) that
 * arrived in the window; since version 2 it is the final outcomes of the requests that were meant to be sent in it. So
 * the older figure gets the name of what it was.
 */
export function inPresentTerms(results: BenchResults): BenchResults {
  return results.version === 1 ? withRuns(results, (run) => renamed(run, oldNameOf(run))) : results;
}

/**
 * Two results as far as their figures can be compared: where one is of version 1, the confirmed orders per second of
 * the other stand against it.
 */
export function inCommonTerms(a: BenchResults, b: BenchResults): readonly [BenchResults, BenchResults] {
  if (a.version === b.version) return [inPresentTerms(a), inPresentTerms(b)];
  const common = (results: BenchResults) =>
    results.version === 1 ? inPresentTerms(results) : withRuns(results, withConfirmedAlone);
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
