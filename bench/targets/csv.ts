import { csvLine } from '../../src/lib/csv.ts';
import type { TimelineSecond } from '../results.ts';

const columns = [
  ...['second', 'time', 'offered', 'requests', 'finished', 'confirmed', 'accepted', 'errors'],
  ...['dropped', 'error_rate', 'p50_ms', 'p99_ms', 'max_ms'],
];

export interface CsvOptions {
  /** When the measured window began. */
  readonly startedAt: Date;
  /** The intended requests per second in this second; undefined in a closed loop. */
  readonly offeredAt: (second: number) => number | undefined;
}

/** One row for each second in the format of RFC 4180; missing values are empty. */
export function csvOf(timeline: readonly TimelineSecond[], { startedAt, offeredAt }: CsvOptions): string {
  const rows = timeline.map((row) => {
    const { second, finished, confirmed, accepted, errors, dropped, p50, p99, max } = row;
    const requests = requestsIn(row);
    const time = new Date(startedAt.getTime() + second * 1000).toISOString();
    const rate = requests === 0 ? undefined : Number(((errors + dropped) / requests).toPrecision(4));
    const numbers = [finished, confirmed, accepted, errors, dropped, rate, p50, p99, max];
    return [second, time, offeredAt(second), requests, ...numbers];
  });
  return [columns, ...rows].map(csvLine).join('');
}

/** All requests that were scheduled in this second. */
export function requestsIn({ finished, accepted, errors, dropped }: TimelineSecond): number {
  return finished + accepted + errors + dropped;
}
