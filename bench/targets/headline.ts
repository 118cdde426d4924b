import { errorRateOf } from '../assertions.ts';
import { formatNumber, formatValue } from '../report/numbers.ts';
import type { Run } from '../results.ts';

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
