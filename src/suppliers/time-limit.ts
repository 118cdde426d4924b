/** The work took too long. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut';
}

/**
 * What the work gives, unless it takes longer than `limitMs` or is stopped: both abort the work's signal, and an
 * answer that comes later is nobody's any more. An answer in time aborts nothing.
 * @throws TimedOut; the reason of `stop`; whatever the work throws.
 */
export function withTimeLimit<T>(
  limitMs: number,
  stop: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const ending = new AbortController();
    const end = (reason: unknown) => {
      release();
      ending.abort(reason);
      reject(reason);
    };
    const onStop = () => end(stop.reason);
    const timer = setTimeout(() => end(new TimedOut(`no answer within ${limitMs} ms`)), limitMs);
    timer.unref();
    const release = () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', onStop);
    };
    if (stop.aborted) return onStop();
    stop.addEventListener('abort', onStop, { once: true });
    const begun = async () => work(ending.signal);
    begun().finally(release).then(resolve, reject);
  });
}
