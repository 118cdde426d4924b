import { setTimeout as pause } from 'node:timers/promises';

/** The stretch of a load that counts, after its warm-up. */
export class MeasuredWindow {
  /** As `performance.now()` has them; infinite while they are not known. */
  start = Number.POSITIVE_INFINITY;
  end = Number.POSITIVE_INFINITY;
  /** Cores that this process used in it. */
  cpu = 0;
  readonly #cut = new AbortController();

  get seconds(): number {
    return (this.end - this.start) / 1000;
  }

  holds(time: number): boolean {
    return time >= this.start && time <= this.end;
  }

  /** Ends it now; without effect before it begins. */
  cut(): void {
    if (this.start !== Number.POSITIVE_INFINITY) this.#cut.abort();
  }

  /** Lets the warm-up pass, then the window. */
  async pass(
    warmUpSeconds: number,
    seconds: number,
    onEdge?: (edge: 'begin' | 'end') => void,
  ): Promise<void> {
    // Not even a turn of the loop is lost before a window without a warm-up.
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

/** Looks every few ms; false when it has not come true in time. */
export async function comesTrue(condition: () => boolean, patienceMs: number): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  while (!condition()) {
    if (performance.now() > deadline) return false;
    await pause(5);
  }
  return true;
}
