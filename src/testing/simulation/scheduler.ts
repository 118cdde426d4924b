import { createHash, type Hash } from 'node:crypto';

/** A process of the simulation. What was planned for it while it lived happens only while it still does. */
export interface Host {
  readonly name: string;
  isAlive: boolean;
  /** It does nothing before this moment: a long collection of garbage, a stopped virtual machine. */
  pausedUntil: number;
}

interface Planned {
  readonly at: number;
  readonly order: number;
  readonly host: Host | undefined;
  readonly what: string;
  readonly run: () => void;
}

/**
 * Simulated time. Whatever takes time is planned here and happens one at a time; between two of them every promise
 * that can go on does. Nothing else tells time, so the same plans lead to the same history.
 */
export class Scheduler {
  readonly #heap: Planned[] = [];
  readonly #hash: Hash = createHash('sha256');
  readonly #trace: ((line: string) => void) | undefined;
  #order = 0;
  #now = 0;
  #steps = 0;

  /** @param trace is told of everything that happens. */
  constructor(trace?: (line: string) => void) {
    this.#trace = trace;
  }

  /** ms since the simulation began. */
  get now(): number {
    return this.#now;
  }

  /** How much has happened. */
  get steps(): number {
    return this.#steps;
  }

  /** The same for the same history, on any machine. */
  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  /** Plans something `delayMs` from now; with a host, for as long as that one lives. */
  after(delayMs: number, what: string, run: () => void, host?: Host): void {
    this.#push({ at: this.#now + Math.max(0, delayMs), order: this.#order++, host, what, run });
  }

  /** Notes what has happened, for the trace and its hash. */
  note(line: string): void {
    const entry = `${this.#now.toFixed(3)} ${line}`;
    this.#hash.update(entry).update('\n');
    this.#trace?.(entry);
  }

  /** Lets everything happen that is planned up to a moment, or until `isOver` says so after a step. */
  async runUntil(end: number, isOver: () => boolean): Promise<void> {
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#pop();
      this.#now = next.at;
      const { host } = next;
      if (host?.isAlive === false) continue;
      if (host !== undefined && host.pausedUntil > this.#now) {
        this.#push({ ...next, at: host.pausedUntil });
        continue;
      }
      this.#steps += 1;
      this.note(host === undefined ? next.what : `${host.name}: ${next.what}`);
      next.run();
      await promisesSettled();
      if (isOver()) return;
    }
    this.#now = Math.max(this.#now, end);
  }

  #push(planned: Planned): void {
    const heap = this.#heap;
    let at = heap.push(planned) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent] as Planned, planned)) break;
      heap[at] = heap[parent] as Planned;
      at = parent;
    }
    heap[at] = planned;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Planned;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as Planned)) child += 1;
      if (isBefore(last, heap[child] as Planned)) break;
      heap[at] = heap[child] as Planned;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(one: Planned, other: Planned): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/** Every promise that does not wait for something planned has gone on when the next turn of the event loop comes. */
function promisesSettled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
