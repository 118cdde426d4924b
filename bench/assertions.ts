import { isOutcome, isSuccess } from './client/outcomes.ts';
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
 * Holds a run against a condition. Percentiles are of outcomes: an answer that is none, a request that was never sent
 * and one without an answer took longer than any of them, and so a percentile that they reach into holds no bound.
 */
export function judge({ metric, comparison, bound }: Assertion, run: Run, isReadOnly = false): Judgement {
  const value = measuredOf(metric, run, isReadOnly);
  const lost = run.dropped + errorsOf(run, isReadOnly);
  const past = pastIt[metric];
  if (past !== undefined && lost > 0) {
    const all = (latencyOf(run, isReadOnly)?.count ?? 0) + lost;
    const why = `${lost} of ${all} requests failed or were not sent`;
    if (lost * 1000 >= all * past) return { value, holds: false, why };
  }
  const compare = { '<': value < bound, '<=': value <= bound, '>': value > bound, '>=': value >= bound };
  return { value, holds: compare[comparison] };
}

/** Answers that are no outcome (of a look-up: that show nothing), connections that failed, requests without an answer. */
export function errorsOf({ answers, errors }: Pick<Run, 'answers' | 'errors'>, isReadOnly: boolean): number {
  const failed = Object.entries(answers).filter(([name]) => isFailure(name, isReadOnly));
  return failed.reduce((sum, [, count]) => sum + count, errors);
}

export function isFailure(answer: string, isReadOnly: boolean): boolean {
  return isReadOnly ? !isSuccess(answer) : !isOutcome(answer);
}

function measuredOf(metric: Metric, run: Run, isReadOnly: boolean): number {
  const { figures, dropped } = run;
  switch (metric) {
    case 'errors':
      return errorsOf(run, isReadOnly);
    case 'dropped':
      return dropped;
    case 'finished':
    case 'goodput':
      return figures.finished ?? Number.NaN;
    case 'answered':
      return figures.answered ?? figures.finished ?? Number.NaN;
    default:
      return latencyOf(run, isReadOnly)?.[metric] ?? Number.NaN;
  }
}

function latencyOf({ latencies }: Run, isReadOnly: boolean): Run['latencies'][string] | undefined {
  return isReadOnly ? latencies.shown : latencies.outcome;
}
