import type { TargetsParams } from '../arguments.ts';
import type { Run, ScenarioResult } from '../results.ts';
import { perSecond, ratesOf, runOf } from '../runner/measure.ts';
import type { LoadResult } from '../testbed.ts';

/** Converts a load's result to a run of the results file. */
export function runFrom(
  result: LoadResult,
  params: TargetsParams,
  parameters: Record<string, number>,
  audit: Run['audit'],
): Run {
  return { ...runOf(result, { round: 1, parameters }), ...measuredOf(result, params), audit };
}

/** One run for each stage. Two stages with the same rate are two rounds. */
export function runsOf(
  whole: Run,
  { stages = [] }: LoadResult,
  params: TargetsParams,
  audit: Run['audit'],
): Run[] {
  if (stages.length === 0) return [whole];
  const seen = new Map<number, number>();
  const runs = stages.map((stage, index) => {
    const offered = params.stages?.[index]?.rate ?? 0;
    const round = (seen.get(offered) ?? 0) + 1;
    seen.set(offered, round);
    return { ...runFrom(stage, params, { offered }, audit), round };
  });
  const [first, ...others] = runs;
  return [{ ...(first as Run), ...(whole.timeline && { timeline: whole.timeline }) }, ...others];
}

/** The figures of assertions. A purchase ends with its outcome, a look-up when the package was shown. */
function measuredOf(
  result: LoadResult,
  { isReadOnly }: Pick<TargetsParams, 'isReadOnly'>,
): Pick<Run, 'figures' | 'latencies'> {
  const { answer, outcome, refusal } = result.latencies;
  const { finished = 0, answered = finished, ...rates } = ratesOf(result);
  const shownPerSecond = perSecond(result, '200');
  const latencies = {
    [isReadOnly ? 'shown' : 'outcome']: outcome,
    ...(answer.count === outcome.count ? {} : { answer }),
    ...(refusal.count === answer.count || refusal.count === 0 ? {} : { refusal }),
  };
  return {
    figures: isReadOnly
      ? { ...(shownPerSecond === answered ? {} : { shownPerSecond }), answered }
      : { finished, ...rates, ...(finished === answered ? {} : { answered }) },
    latencies: Object.fromEntries(Object.entries(latencies).filter(([, { count }]) => count > 0)),
  };
}

export function parametersOf({ rate, stages, callers }: TargetsParams): Record<string, number> {
  if (rate !== undefined) return { offered: rate };
  return stages === undefined ? { callers } : {};
}

export function formatLoad(params: TargetsParams): string {
  const { rate, stages, callers, isReadOnly } = params;
  const what = isReadOnly ? 'look-ups' : 'purchases';
  const where = whereOf(params);
  if (stages !== undefined)
    return `${what} at ${where}, ${stages.map((stage) => `${stage.rate}/s for ${stage.seconds} s`).join(', ')}`;
  return rate === undefined ? `${what} by ${callers} callers at ${where}` : `${rate} ${what}/s at ${where}`;
}

function whereOf({ origins }: TargetsParams): string {
  return origins.length === 1 ? (origins[0] as string) : `${origins.length} instances`;
}

export function scenarioOf(params: TargetsParams, runs: readonly Run[]): ScenarioResult {
  const { isReadOnly, rate, stages } = params;
  return {
    name: isReadOnly ? 'targets-look-ups' : 'targets',
    title: `Load on ${whereOf(params)}`,
    what:
      rate === undefined && stages === undefined
        ? 'Each caller sends its next request when the last one was answered: a ceiling.'
        : 'Requests are sent on time whatever the answers do; latencies count from the intended send.',
    contestants: [{ name: 'targets', title: whereOf(params), isOurs: true, runs }],
    notes: [],
  };
}
