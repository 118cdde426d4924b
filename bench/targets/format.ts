import type { TargetsParams } from '../arguments.ts';
import { type AssertionResult, errorRateOf, errorsOf, isFailure } from '../assertions.ts';
import { formatNumber, formatValue } from '../report/numbers.ts';
import type { Run } from '../results.ts';
import type { LoadResult } from '../testbed.ts';

export interface HeadlineOptions {
  readonly isReadOnly: boolean;
  /** The average of the intended requests per second; undefined in a closed loop. */
  readonly offered?: number;
  /** Sentences on why the figures must not be used. */
  readonly flaws?: readonly string[];
}

/**
 * The results of a run in one sentence: `300/s offered, 298/s finished (149/s confirmed), error rate 0.41 %, p50 4.10
 * ms, p99 12.3 ms.`
 */
export function headlineOf(run: Run, { isReadOnly, offered, flaws = [] }: HeadlineOptions): string {
  const { finished = 0, confirmedPerSecond } = run.figures;
  const { outcome, shown } = run.latencies;
  const latency = isReadOnly ? shown : outcome;
  const confirmed =
    confirmedPerSecond === undefined ? '' : ` (${formatNumber(confirmedPerSecond)}/s confirmed)`;
  const accepted = run.answers['202'] ?? 0;
  const sentence = [
    ...(offered === undefined ? [] : [`${formatNumber(offered)}/s offered`]),
    isReadOnly
      ? `${formatNumber(run.figures.shownPerSecond ?? run.figures.answered ?? 0)}/s shown`
      : `${formatNumber(finished)}/s finished${confirmed}`,
    `error rate ${formatValue(errorRateOf(run, isReadOnly), 'share')}`,
    ...(accepted === 0 ? [] : [`${formatNumber(accepted)} accepted whose outcome was still to come`]),
    ...(latency === undefined
      ? ['no latency']
      : [`p50 ${formatValue(latency.p50, 'ms')}`, `p99 ${formatValue(latency.p99, 'ms')}`]),
  ].join(', ');
  return [`${sentence}.`, ...flaws].join(' ');
}

export function formatAudit({ verdict, detail }: Run['audit']): string {
  const state = { clean: 'clean', void: 'FINDINGS', none: 'could not be had' }[verdict];
  return `${state}, ${detail}`;
}

export function formatAnswers({ isReadOnly }: TargetsParams, run: Run, result: LoadResult): string {
  const { answers, dropped, cpu } = run;
  const lines = Object.entries(answers).map(([name, count]) => {
    const mark = isFailure(name, isReadOnly) ? '  (an error)' : '';
    return `  ${count.toLocaleString('en').padStart(12)}  ${name}${mark}`;
  });
  const client = `The client used ${(cpu.client ?? 0).toFixed(2)} cores; past 0.9 it is the client that is measured.`;
  return [
    'Answers',
    ...lines,
    `Not sent in time: ${dropped}. Errors, with such answers: ${errorsOf(run, isReadOnly)}.`,
    ...errorNotes(result),
    client,
    '',
  ].join('\n');
}

export function errorNotes({ errors, reasons = {} }: LoadResult): string[] {
  const each = Object.entries(reasons).map(([reason, count]) => `${reason} ${count}`);
  return errors === 0 ? [] : [`Connections that failed, and requests without an answer: ${each.join(', ')}.`];
}

/** One line for an assertion: `holds  p99<50ms  (12.3)`. */
export function formatAssertion({
  text,
  value,
  holds,
  why,
}: AssertionResult & { readonly text: string }): string {
  const was = Number.isFinite(value) ? String(Number(value.toPrecision(6))) : 'nothing was measured';
  return `${holds ? 'holds' : 'FAILS'}  ${text}  (${was}${why === undefined ? '' : `; ${why}`})`;
}
