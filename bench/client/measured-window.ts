import { setTimeout as pause } from 'node:timers/promises';

/** The part of a load that counts, after the warm-up. */
export class MeasuredWindow {
  /** By `performance.now()`; infinite until they are known. */
  start = Number.POSITIVE_INFINITY;
  end = Number.POSITIVE_INFINITY;
  /** Cores that this process used in the window. */
  cpu = 0;
  readonly #cut = new AbortController();

  get seconds(): number {
    return (this.end - this.start) / 1000;
  }

  holds(time: number): boolean {
    return time >= this.start && time <= this.end;
  }

  /** Ends the window now; has no effect before it begins. */
  cut(): void {
    if (this.start !== Number.POSITIVE_INFINITY) this.#cut.abort();
  }

  /** Waits for the warm-up and then for the window. */
  async pass(
    warmUpSeconds: number,
    seconds: number,
    onEdge?: (edge: 'begin' | 'end') => void,
  ): Promise<void> {
    // Without a warm-up the window begins in the same turn of the event loop.
    if (warmUpSeconds > 0) await pause(warmUpSeconds * 1000);
    const before = process.cpuUsage();
    onEdge?.('begin');
    this.start = performance.now();
    const { signal } = this.#cut;
    await pause(seconds * 1000, undefined, { signal }).catch(() => {});
    this.end = performance.now();
    onEdge?.('end');
    const { user, system } = process.cpuUsage(before);
    this.cpu = (user + system) / 1000 / (this.end - this.start);
  }
}

/**
 * Polls every few ms.
 * @returns false if the condition is not met in time.
 */
export async function waitUntil(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) return false;
    await pause(5);
  }
  return true;
}
