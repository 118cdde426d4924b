import type { Log } from '../observability/log.ts';

export interface Availability {
  readonly now: boolean;
  /** Reads it anew, and tells who listens if it has changed. */
  check(): void;
  /** Returns how to stop listening. */
  listen(listener: (available: boolean) => void): () => void;
}

/** Keeps who wants to know whether something is available, and tells them of changes only. */
export function trackAvailability(log: Log, read: () => boolean): Availability {
  const listeners = new Set<(available: boolean) => void>();
  let now = true;
  return {
    get now() {
      return now;
    },
    check() {
      if (read() === now) return;
      now = !now;
      for (const listener of [...listeners]) tell(listener);
    },
    listen(listener) {
      // Its own, so that one function may listen twice and stop once.
      const own = (available: boolean) => listener(available);
      listeners.add(own);
      return () => {
        listeners.delete(own);
      };
    },
  };

  /** What is so now: a listener before may have changed it by making a call. */
  function tell(listener: (available: boolean) => void): void {
    try {
      listener(now);
    } catch (error) {
      log.error({ err: error }, 'A listener to the availability of the suppliers failed.');
    }
  }
}
