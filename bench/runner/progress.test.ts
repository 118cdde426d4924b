import { expect, it, vi } from 'vitest';
import { showProgress } from './progress.ts';

const sample = {
  sentPerSecond: 300.4,
  answeredPerSecond: 300,
  finishedPerSecond: 1298,
  errors: 1,
  limited: 0,
};

function stream(isTTY: boolean) {
  const written: string[] = [];
  const write = (text: string) => written.push(text) > 0;
  return { written, shown: { isTTY, columns: 100, write } as unknown as NodeJS.WriteStream };
}

it('redraws one line for a load on a terminal', () => {
  const { written, shown } = stream(true);
  const progress = showProgress(shown);
  progress.load(sample);
  progress.load({ ...sample, errors: 2, p99: 12.34 });
  expect(written).toHaveLength(2);
  expect(written[0]).toMatch(/^\r.*300\/s sent · 1,298\/s finished · 1 error$/);
  expect(written[1]).toMatch(/2 errors · p99 12.3 ms$/);
});

it('prints a line every few seconds without a terminal', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const { written, shown } = stream(false);
    const progress = showProgress(shown);
    for (let second = 0; second < 12; second++) {
      progress.load(sample);
      vi.advanceTimersByTime(1_000);
    }
    expect(written).toHaveLength(3);
    expect(written.join('')).not.toContain('\r');
    expect(written[1]).toMatch(/^ +5 s {2}300\/s sent .*\n$/);
  } finally {
    vi.useRealTimers();
  }
});
