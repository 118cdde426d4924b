import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../lib/clock.ts';

export interface ProcessLoad {
  /** The longest delay of the event loop in the last second or two. */
  readonly eventLoopLagMs: number;
  /** The resident memory of the process. */
  readonly rssBytes: number;
}

/** Measures this process until it is closed. */
export interface LoadMeter {
  read(): ProcessLoad;
  /** Stops the timer. */
  close(): void;
}

const resolutionMs = 20;
const windowMs = 1_000;

/** Reports each delay for at least one window and at most two, however often the meter is read. */
export function loadMeter(clock: Clock): LoadMeter {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  let windowStartedAt = clock.monotonic();
  let lastMs = 0;
  return {
    read() {
      // The histogram holds the time between two ticks of a timer, so subtract the timer's period.
      const worstMs = Math.max(0, delays.max / 1e6 - resolutionMs);
      const eventLoopLagMs = Math.round(Math.max(worstMs, lastMs) * 10) / 10;
      if (clock.monotonic() - windowStartedAt >= windowMs) {
        lastMs = worstMs;
        windowStartedAt = clock.monotonic();
        delays.reset();
      }
      return { eventLoopLagMs, rssBytes: process.memoryUsage.rss() };
    },
    close() {
      delays.disable();
    },
  };
}
