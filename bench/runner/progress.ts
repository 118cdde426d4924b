import type { ProgressSample } from '../client/protocol.ts';
import { formatValue } from '../report/numbers.ts';

/** Progress on standard error: one line that is redrawn on a terminal, otherwise one line for each step. */
export interface Progress {
  /** A step of the bench. */
  step(line: string): void;
  /** The current rate, shown after the step; only on a terminal. */
  pace(perSecond: number): void;
  /** The progress of a load: shown after the step on a terminal, otherwise a line every few seconds. */
  load(sample: ProgressSample): void;
  clear(): void;
}

/** Time between lines about a load without a terminal. */
const plainEveryMs = 5_000;
const clearLine = '\r\u001b[K';

export function showProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  let step = '';
  let plainAt = Number.NEGATIVE_INFINITY;
  const startedAt = performance.now();
  const draw = (text: string) => {
    const width = (stream.columns ?? 80) - 1;
    stream.write(`${clearLine}${text.length > width ? `${text.slice(0, width - 1)}…` : text}`);
  };
  const elapsed = () => `${((performance.now() - startedAt) / 1000).toFixed(0)} s`.padStart(6);
  return {
    step(line) {
      if (line === step) return;
      step = line;
      if (stream.isTTY) draw(`${elapsed()}  ${line}`);
      else stream.write(`${elapsed()}  ${line}\n`);
    },
    pace(perSecond) {
      if (stream.isTTY) draw(`${elapsed()}  ${step}: ${Math.round(perSecond).toLocaleString('en')}/s`);
    },
    load(sample) {
      if (stream.isTTY) return draw(`${elapsed()}  ${formatSample(sample)}`);
      const now = performance.now();
      // Samples come once a second and may be a little early.
      if (now - plainAt < plainEveryMs - 500) return;
      plainAt = now;
      stream.write(`${elapsed()}  ${formatSample(sample)}\n`);
    },
    clear() {
      if (stream.isTTY) stream.write(clearLine);
    },
  };
}

/** `300/s sent · 298/s finished · 2 errors · p99 12 ms`. */
export function formatSample({ sentPerSecond, finishedPerSecond, errors, p99 }: ProgressSample): string {
  const whole = (value: number) => Math.round(value).toLocaleString('en');
  return [
    `${whole(sentPerSecond)}/s sent`,
    `${whole(finishedPerSecond)}/s finished`,
    `${whole(errors)} ${errors === 1 ? 'error' : 'errors'}`,
    ...(p99 === undefined ? [] : [`p99 ${formatValue(p99, 'ms')}`]),
  ].join(' · ');
}
