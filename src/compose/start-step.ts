import { withTimeout } from '../lib/deadline.ts';

/** No step that succeeds takes this long. */
export const stepTimeoutMs = 30_000;

export interface StepOptions<T> {
  readonly timeoutMs?: number;
  /** What the step fails with when its time is up; default: an Error with the message that it is given. */
  readonly error?: (message: string) => Error;
  /** Gives back what a step yields after its time. */
  readonly late?: (result: T) => unknown;
}

/**
 * Waits for one step of the start-up, named as in "opening the store".
 * @throws Error that names the step, when it takes longer than its time.
 */
export async function startStep<T>(
  step: string,
  work: Promise<T>,
  { timeoutMs = stepTimeoutMs, error = (message) => new Error(message), late }: StepOptions<T> = {},
): Promise<T> {
  const onTimeout = () => {
    if (late !== undefined) work.then(late).catch(() => {});
    return error(`${step} took longer than ${timeoutMs / 1000} s`);
  };
  return withTimeout({ ms: timeoutMs, late: onTimeout }, () => work);
}
