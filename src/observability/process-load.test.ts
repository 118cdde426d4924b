import { setTimeout as pause } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { loadMeter } from './process-load.ts';

it('shows a delay of the event loop, and forgets it after two windows', async () => {
  const meter = loadMeter(systemClock);
  try {
    await pause(100);
    for (const until = performance.now() + 300; performance.now() < until; );
    await pause(50);
    const { eventLoopLagMs, rssBytes } = meter.read();
    expect(eventLoopLagMs).toBeGreaterThan(200);
    expect(rssBytes).toBeGreaterThan(1e6);
    await vi.waitFor(() => expect(meter.read().eventLoopLagMs).toBeLessThan(200), {
      timeout: 10_000,
      interval: 300,
    });
  } finally {
    meter.close();
  }
});
