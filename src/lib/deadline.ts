import { Abort, type AbortState } from './abort.ts';
import { type Clock, systemClock } from './clock.ts';

/** The work took longer than its timeout. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

export interface TimeoutOptions {
  readonly ms: number;
  /** A signal that ends the wait early. Its reason becomes the error. */
  readonly stop?: AbortState;
  /** The clock that measures the timeout. Default: the machine's timers. */
  readonly clock?: Pick<Clock, 'sleep'>;
  /** Makes the error for a timeout. Called once, when the time is up. Default: a {@link TimeoutError}. */
  readonly late?: () => Error;
}

/**
 * Settles as `work` does, unless the work takes longer than `ms` or `stop` aborts. In both cases the signal that the
 * work was given aborts, and the outcome of the work is ignored. Work that ends in time is not aborted. If `stop` has
 * aborted before, the work is not started.
 * @throws the error that `late` makes; the reason of `stop`; the error that the work throws.
 */
export function withTimeout<T>(options: TimeoutOptions, work: (signal: Abort) => Promise<T>): Promise<T> {
  const { ms, stop, clock, late = () => new TimeoutError(`no answer within ${ms} ms`) } = options;
  return new Promise((resolve, reject) => {
    if (stop?.aborted) return reject(stop.reason);
    const ending = new Abort();
    const release = () => {
      clear();
      stop?.removeEventListener('abort', onStop);
    };
    const end = (reason: unknown) => {
      release();
      ending.abort(reason);
      reject(reason);
    };
    const onStop = () => end(stop?.reason);
    const clear = startTimer(ms, clock, () => end(late()));
    stop?.addEventListener('abort', onStop, { once: true });
    Promise.try(work, ending).then(
      (result) => {
        release();
        resolve(result);
      },
      (error: unknown) => {
        release();
        reject(error);
      },
    );
  });
}

/** Waits until `work` has settled either way, but for at most `ms`. Returns whether it has settled. */
export async function settlesWithin(
  ms: number,
  work: Promise<unknown>,
  clock?: Pick<Clock, 'sleep'>,
): Promise<boolean> {
  const isSettled = work.then(
    () => true,
    () => true,
  );
  const late = Promise.withResolvers<boolean>();
  const clear = startTimer(ms, clock, () => late.resolve(false));
  try {
    return await Promise.race([isSettled, late.promise]);
  } finally {
    clear();
  }
}

/**
 * Starts a timer. Returns the function that clears the timer. Cheaper than {@link Clock.sleep} with a signal for a timer
 * that is nearly always cleared.
 */
export function startTimer(
  ms: number,
  clock: Pick<Clock, 'sleep'> | undefined,
  expire: () => void,
): () => void {
  // An abort controller for each timer would cost more than the timer.
  if (clock === undefined || clock === systemClock) {
    const timer = setTimeout(expire, ms);
    return () => clearTimeout(timer);
  }
  const cleared = new Abort();
  void clock.sleep(ms, cleared).then(() => {
    if (!cleared.aborted) expire();
  });
  return () => cleared.abort();
}
