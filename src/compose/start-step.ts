import { settlesWithin, withTimeout } from '../lib/deadline.ts';

interface StepOptions<T> {
  /** Default: longer than any successful step takes. */
  readonly timeoutMs?: number;
  /** Makes the error for a timeout; default: an Error with the message. */
  readonly error?: (message: string) => Error;
  /** Releases the result of a step that ends after its timeout. */
  readonly late?: (result: T) => unknown;
}

/**
 * Waits for a step of the start, with a timeout. The step is named like "opening the store".
 * @throws Error that names the step, after the timeout.
 */
export async function startStep<T>(
  step: string,
  work: Promise<T>,
  { timeoutMs = 30_000, error = (message) => new Error(message), late }: StepOptions<T> = {},
): Promise<T> {
  const onTimeout = () => {
    if (late !== undefined) work.then(late).catch(() => {});
    return error(`${step} took longer than ${timeoutMs / 1000} s`);
  };
  return withTimeout({ ms: timeoutMs, late: onTimeout }, () => work);
}

/** How long a failed start waits for its resources to close. */
const closingTimeoutMs = 5_000;

/** Waits for resources to close after a failed start. The timeout ensures that the error of the start is reported. */
export async function closeAfterFailure(...closing: Promise<unknown>[]): Promise<void> {
  await settlesWithin(closingTimeoutMs, Promise.allSettled(closing));
}
