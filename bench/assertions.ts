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

const form =
  /^\s*(?<metric>[a-z]+\d*)\s*(?<comparison><=|>=|≤|≥|<|>)\s*(?<number>\d+(?:\.\d+)?)\s*(?<unit>ms|s|\/s)?\s*$/;
const inAscii: Readonly<Record<string, Comparison>> = { '≤': '<=', '≥': '>=' };

/** Undefined for what is no condition. */
export function parseAssertion(text: string): Assertion | undefined {
  const { metric: name, comparison = '', number, unit } = form.exec(text)?.groups ?? {};
  const metric = metrics.find((each) => each === name);
  if (metric === undefined) return undefined;
  const isLatency = /^(p\d+|max)$/.test(metric);
  const isRate = !isLatency && metric !== 'errors' && metric !== 'dropped';
  if (unit !== undefined && (unit === '/s' ? !isRate : !isLatency)) return undefined;
  const bound = Number(number) * (unit === 's' ? 1000 : 1);
  return { text: text.trim(), metric, comparison: inAscii[comparison] ?? (comparison as Comparison), bound };
}

/** @returns what it was, and whether that is as asserted. A latency of no answer at all holds no bound. */
export function judge(
  { metric, comparison, bound }: Assertion,
  run: Run,
): { readonly value: number; readonly holds: boolean } {
  const value = measuredOf(metric, run);
  const compare = { '<': value < bound, '<=': value <= bound, '>': value > bound, '>=': value >= bound };
  return { value, holds: compare[comparison] };
}

function measuredOf(metric: Metric, { figures, latencies, answers, errors, dropped }: Run): number {
  switch (metric) {
    case 'errors':
      return errors + serverErrors(answers);
    case 'dropped':
      return dropped;
    case 'finished':
    case 'goodput':
      return figures.finished ?? Number.NaN;
    case 'answered':
      return figures.answered ?? figures.finished ?? Number.NaN;
    default:
      // Of all answers, which are named after their kind where there was but one.
      return (latencies.answer ?? latencies.outcome ?? latencies.refusal)?.[metric] ?? Number.NaN;
  }
}

/** A supplier that refuses is an outcome, and the server's error in no way. */
function serverErrors(answers: Run['answers']): number {
  const failed = Object.entries(answers).filter(
    ([name]) => name.startsWith('5') && name !== '502 supplier_failed',
  );
  return failed.reduce((sum, [, count]) => sum + count, 0);
}
