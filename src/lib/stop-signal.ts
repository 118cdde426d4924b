import type { EventEmitter } from 'node:events';

/**
 * Signals this close together count as one, because npm passes a Ctrl-C on to a program that the terminal has already
 * sent it to.
 */
const repeatMs = 500;

export interface StopSignalOptions {
  /**
   * Called for each signal after the first, because the user does not want to wait. Default: these signals are ignored.
   */
  readonly again?: () => void;
  /** The signals to listen to. Default: SIGINT, SIGTERM and SIGHUP. */
  readonly signals?: readonly NodeJS.Signals[];
  /** The emitter of the signals. Default: the process. */
  readonly source?: Pick<EventEmitter, 'on'>;
}

/** Calls `first` at the first signal to stop. From then on the signals do not end the process by themselves. */
export function onStopSignals(
  first: (signal: NodeJS.Signals) => void,
  { again = () => {}, signals = ['SIGINT', 'SIGTERM', 'SIGHUP'], source = process }: StopSignalOptions = {},
): void {
  let stoppedAt: number | undefined;
  for (const signal of signals) {
    source.on(signal, () => {
      const now = performance.now();
      if (stoppedAt === undefined) {
        stoppedAt = now;
        first(signal);
      } else if (now - stoppedAt > repeatMs) again();
    });
  }
}

/**
 * A signal that aborts when the process is told to stop, with an Error as the reason. At the second such signal the
 * process exits at once, with `exitCode`.
 */
export function stopSignal(
  exitCode: number,
  onStop: (signal: NodeJS.Signals) => void = () => {},
): AbortSignal {
  const stop = new AbortController();
  onStopSignals(
    (signal) => {
      onStop(signal);
      stop.abort(new Error(`stopped by ${signal}`));
    },
    { again: () => process.exit(exitCode) },
  );
  return stop.signal;
}
