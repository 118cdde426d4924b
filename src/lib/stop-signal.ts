import type { EventEmitter } from 'node:events';

/** npm passes a Ctrl-C on to the program that has already got it from the terminal: signals this close are one. */
const repeatMs = 500;

export interface StopSignalOptions {
  /** Called for each signal after the first: the user does not want to wait. Default: they are ignored. */
  readonly again?: () => void;
  /** Default: SIGINT, SIGTERM and SIGHUP. */
  readonly signals?: readonly NodeJS.Signals[];
  /** What emits the signals; default: the process. */
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
 * A signal that aborts when the process is told to stop, with an Error as the reason. The second time the process exits
 * at once, with `exitCode`.
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
