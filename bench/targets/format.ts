import type { TargetsParams } from '../arguments.ts';
import { type AssertionResult, errorsOf, isFailure } from '../assertions.ts';
import type { Run } from '../results.ts';
import type { LoadResult } from '../testbed.ts';

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
