import type { EventEmitter } from 'node:events';

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ctrl-C reaches a program that npm runs twice, from the terminal and from npm: signals this close are one. */
const repeatMs = 500;

/** Calls `first` at the first signal to stop, and `again` at each later one, when the user does not want to wait. */
export function onStopSignals(
  first: (signal: NodeJS.Signals) => void,
  again: () => void,
  source: Pick<EventEmitter, 'on'> = process,
): void {
  let stoppedAt: number | undefined;
  for (const signal of stopSignals) {
    source.on(signal, () => {
      const now = performance.now();
      if (stoppedAt === undefined) {
        stoppedAt = now;
        first(signal);
      } else if (now - stoppedAt > repeatMs) again();
    });
  }
}

/** Aborts at the first signal to stop; at the second one the program ends at once, and takes what it started with it. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  onStopSignals(
    () => {
      console.error('stopping …');
      stop.abort(new Error('It was stopped: that proves nothing.'));
    },
    () => process.exit(2),
  );
  return stop.signal;
}
