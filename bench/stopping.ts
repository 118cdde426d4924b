/** The exit code of a process that was interrupted, as shells define it. */
export const interruptedExitCode = 130;

/** The user pressed Ctrl-C. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError';
}

/**
 * Never resolves.
 * @throws the signal's reason once it is aborted.
 */
export function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
