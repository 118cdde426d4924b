import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../lib/clock.ts';
import type { ProcessLoad } from './process-load.ts';

const resolutionMs = 20;
const windowMs = 1_000;

/** Watches the event loop of this process; `close` lets go of its timer. */
export interface LoadMeter {
  read(): ProcessLoad;
  close(): void;
}

/** However often it is read, and by however many, a delay shows for one window at least and two at most. */
export function loadMeter(clock: Clock): LoadMeter {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  let windowStartedAt = clock.now();
  let lastMs = 0;
  return {
    read() {
      // The histogram holds the time between two ticks of a timer, its period included.
      const worstMs = Math.max(0, delays.max / 1e6 - resolutionMs);
      const eventLoopLagMs = Math.round(Math.max(worstMs, lastMs) * 10) / 10;
      if (clock.now() - windowStartedAt >= windowMs) {
        lastMs = worstMs;
        windowStartedAt = clock.now();
        delays.reset();
      }
      return { eventLoopLagMs, rssBytes: process.memoryUsage.rss() };
    },
    close() {
      delays.disable();
    },
  };
}
