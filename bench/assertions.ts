import { countOf, isError, isSuccess } from './client/outcomes.ts';
import type { Run } from './results.ts';

const metrics = [
  'p50',
  'p90',
  'p99',
  'p999',
  'max',
  'errors',
  'dropped',
  'finished',
  'confirmed',
  'goodput',
  'answered',
] as const;
type Metric = (typeof metrics)[number];
type Comparison = '<' | '<=' | '>' | '>=';

/** A condition such as `p99<50ms`. Latencies are in ms, rates per second. */
export interface Assertion {
  readonly text: string;
  readonly metric: Metric;
  readonly comparison: Comparison;
  readonly bound: number;
}

export interface AssertionResult {
  readonly holds: boolean;
  /** The measured value; NaN if nothing was measured. */
  readonly value: number;
  /** Why the condition fails regardless of its value. */
  readonly why?: string;
}

/** How many of 1,000 requests are slower than each percentile. */
const pastIt: Partial<Readonly<Record<Metric, number>>> = { p50: 500, p90: 100, p99: 10, p999: 1, max: 0 };

const form =
  /^\s*(?<metric>[a-z]+\d*)\s*(?<comparison><=|>=|≤|≥|<|>)\s*(?<number>\d+(?:\.\d+)?)\s*(?<unit>ms|s|\/s)?\s*$/;
const inAscii: Readonly<Record<string, Comparison>> = { '≤': '<=', '≥': '>=' };

/** @returns undefined when the text is not a condition. */
export function parseAssertion(text: string): Assertion | undefined {
  const { metric: name, comparison = '', number, unit } = form.exec(text)?.groups ?? {};
  const metric = metrics.find((each) => each === name);
  if (metric === undefined) return undefined;
  const isLatency = pastIt[metric] !== undefined;
  const isRate = !isLatency && metric !== 'errors' && metric !== 'dropped';
  if (unit !== undefined && (unit === '/s' ? !isRate : !isLatency)) return undefined;
  const bound = Number(number) * (unit === 's' ? 1000 : 1);
  return { text: text.trim(), metric, comparison: inAscii[comparison] ?? (comparison as Comparison), bound };
}

/**
 * Evaluates a condition on a run. A percentile is one of outcomes. Requests without an outcome (errors, 202, not sent,
 * not answered) count as slower than all others: the condition fails if they reach into its percentile.
 */
export function evaluate(
  { metric, comparison, bound }: Assertion,
  run: Run,
  isReadOnly = false,
): AssertionResult {
  const value = measuredOf(metric, run, isReadOnly);
  const lost = failuresOf(run, isReadOnly) + (run.answers['202'] ?? 0);
  const past = pastIt[metric];
  if (past !== undefined && lost > 0) {
    const all = (latencyOf(run, isReadOnly)?.count ?? 0) + lost;
    const why = `${lost} of ${all} requests failed, were not sent or had no outcome yet`;
    if (lost * 1000 >= all * past) return { value, holds: false, why };
  }
  const compare = { '<': value < bound, '<=': value <= bound, '>': value > bound, '>=': value >= bound };
  return { value, holds: compare[comparison] };
}

/** Errors and requests that could not be sent in time. */
export function failuresOf(run: Pick<Run, 'answers' | 'errors' | 'dropped'>, isReadOnly: boolean): number {
  return run.dropped + errorsOf(run, isReadOnly);
}

/** The share of requests that were errors or could not be sent in time, from 0 to 1; 0 without requests. */
export function errorRateOf(run: Pick<Run, 'answers' | 'errors' | 'dropped'>, isReadOnly: boolean): number {
  const all = countOf(run.answers, () => true) + run.errors + run.dropped;
  return all === 0 ? 0 : failuresOf(run, isReadOnly) / all;
}

/** Error answers (for look-ups: all but 2xx), failed connections and requests without an answer. */
export function errorsOf({ answers, errors }: Pick<Run, 'answers' | 'errors'>, isReadOnly: boolean): number {
  return errors + countOf(answers, (name) => isFailure(name, isReadOnly));
}

export function isFailure(answer: string, isReadOnly: boolean): boolean {
  return isReadOnly ? !isSuccess(answer) : isError(answer);
}

function measuredOf(metric: Metric, run: Run, isReadOnly: boolean): number {
  const { figures, dropped } = run;
  switch (metric) {
    case 'errors':
      return errorsOf(run, isReadOnly);
    case 'dropped':
      return dropped;
    case 'finished':
      return figures.finished ?? Number.NaN;
    case 'confirmed':
    case 'goodput':
      return figures.confirmedPerSecond ?? figures.finished ?? Number.NaN;
    case 'answered':
      return figures.answered ?? figures.finished ?? Number.NaN;
    default:
      return latencyOf(run, isReadOnly)?.[metric] ?? Number.NaN;
  }
}

function latencyOf({ latencies }: Run, isReadOnly: boolean): Run['latencies'][string] | undefined {
  return isReadOnly ? latencies.shown : latencies.outcome;
}
