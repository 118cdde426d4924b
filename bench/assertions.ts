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

/** `p99<50ms`: latencies in ms, rates per second. */
export interface Assertion {
  readonly text: string;
  readonly metric: Metric;
  readonly comparison: Comparison;
  readonly bound: number;
}

export interface Judgement {
  readonly holds: boolean;
  /** What it was; NaN: nothing was measured. */
  readonly value: number;
  /** Why it does not hold whatever the value is. */
  readonly why?: string;
}

/** Of a thousand requests, how many lie past each percentile. */
const pastIt: Partial<Readonly<Record<Metric, number>>> = { p50: 500, p90: 100, p99: 10, p999: 1, max: 0 };

const form =
  /^\s*(?<metric>[a-z]+\d*)\s*(?<comparison><=|>=|≤|≥|<|>)\s*(?<number>\d+(?:\.\d+)?)\s*(?<unit>ms|s|\/s)?\s*$/;
const inAscii: Readonly<Record<string, Comparison>> = { '≤': '<=', '≥': '>=' };

/** Undefined for what is no condition. */
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
 * Holds a run against a condition. Percentiles are of outcomes: an answer that is none, a 202 among them, a request
 * that was never sent and one without an answer took longer than any of them, and so a percentile that they reach into
 * holds no bound.
 */
export function judge({ metric, comparison, bound }: Assertion, run: Run, isReadOnly = false): Judgement {
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

/** Errors, and what could not be sent in time. */
export function failuresOf(run: Pick<Run, 'answers' | 'errors' | 'dropped'>, isReadOnly: boolean): number {
  return run.dropped + errorsOf(run, isReadOnly);
}

/** Of all requests, the share that were errors or could not be sent in time: 0 to 1; 0 where there were none. */
export function errorRateOf(run: Pick<Run, 'answers' | 'errors' | 'dropped'>, isReadOnly: boolean): number {
  const all = countOf(run.answers, () => true) + run.errors + run.dropped;
  return all === 0 ? 0 : failuresOf(run, isReadOnly) / all;
}

/** Answers that are errors (of a look-up: that show nothing), connections that failed, requests without an answer. */
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
