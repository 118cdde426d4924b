/** Aborts at the first signal to stop; at the second one the program ends at once, and takes what it started with it. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(2);
      console.error('stopping …');
      stop.abort(new Error('It was stopped: that proves nothing.'));
    });
  }
  return stop.signal;
}
