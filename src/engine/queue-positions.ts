import type { LiveBus, QueueSnapshot } from '../realtime/live-bus.ts';

/** The lines of packages that other instances own, as last heard on the live bus. */
export class QueuePositions {
  readonly #queuePositions = new Map<number, QueueSnapshot>();
  readonly #unsubscribe: () => void;

  constructor(liveBus: LiveBus) {
    this.#unsubscribe = liveBus.subscribe({ queue: (line) => this.#hear(line) });
  }

  /** The place of an order's number in its line, from 1; undefined when it was not heard of. */
  position(packageId: number, number: number): number | undefined {
    const line = this.#queuePositions.get(packageId);
    if (line === undefined) return undefined;
    const inFirst = line.first.indexOf(number);
    if (inFirst >= 0) return inFirst + 1;
    const inAll = line.all?.indexOf(number) ?? -1;
    return inAll >= 0 ? inAll + 1 : undefined;
  }

  close(): void {
    this.#unsubscribe();
  }

  #hear(line: QueueSnapshot): void {
    if (line.first.length === 0) {
      this.#queuePositions.delete(line.packageId);
      return;
    }
    const all = line.all ?? this.#queuePositions.get(line.packageId)?.all;
    this.#queuePositions.set(line.packageId, { ...line, ...(all === undefined ? {} : { all }) });
  }
}
