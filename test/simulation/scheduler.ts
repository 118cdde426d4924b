import { createHash, type Hash } from 'node:crypto';

/** A simulated process. Its planned steps run only while it is alive. */
export interface Host {
  readonly name: string;
  isAlive: boolean;
  /** The process runs no step before this time, as during a long garbage collection. */
  pausedUntil: number;
  /** Ends the process immediately. */
  crash(why: string): void;
}

interface Planned {
  at: number;
  readonly order: number;
  readonly host: Host | undefined;
  readonly what: string;
  readonly run: () => void;
  isCancelled: boolean;
}

/** The history is hashed in pieces of this many characters. */
const hashedAtOnce = 16_384;
/** Number of steps between two turns of the event loop. */
const stepsPerTurn = 64;

/**
 * Simulated time. Everything that takes time is planned here and runs one step at a time. Between two steps, all
 * promises settle that can. There is no other clock, so the same plans give the same history.
 */
export class Scheduler {
  readonly #heap: Planned[] = [];
  readonly #hash: Hash = createHash('sha256');
  readonly #trace: ((line: string) => void) | undefined;
  #order = 0;
  #now = 0;
  #steps = 0;
  /** The end of the history that is not hashed yet. */
  #fresh = '';
  /** Called before each step of a process, and may crash it. */
  onStep: (host: Host, what: string) => void = () => {};

  /** @param trace called with each line of the history. */
  constructor(trace?: (line: string) => void) {
    this.#trace = trace;
  }

  /** The time since the simulation began, in ms. */
  get now(): number {
    return this.#now;
  }

  /** Number of steps so far. */
  get steps(): number {
    return this.#steps;
  }

  /** A hash of the history, equal on every machine. */
  digest(): string {
    this.#hashFresh();
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  /**
   * Plans a step `delayMs` from now. The step is dropped if its host dies. Returns a function that cancels the step.
   */
  after(delayMs: number, what: string, run: () => void, host?: Host): () => void {
    const at = this.#now + Math.max(0, delayMs);
    const planned: Planned = { at, order: this.#order++, host, what, run, isCancelled: false };
    this.#push(planned);
    return () => {
      planned.isCancelled = true;
    };
  }

  /** Adds a line to the trace and the hash. */
  note(line: string): void {
    const entry = `${this.#now.toFixed(3)} ${line}`;
    this.#fresh += `${entry}\n`;
    if (this.#fresh.length > hashedAtOnce) this.#hashFresh();
    this.#trace?.(entry);
  }

  /** Adds a line to the trace but not to the hash, because it may differ between machines. */
  remark(line: string): void {
    this.#trace?.(line);
  }

  #hashFresh(): void {
    this.#hash.update(this.#fresh);
    this.#fresh = '';
  }

  /** Runs all planned steps until a time, or until `isOver` is true after a step. */
  async runUntil(end: number, isOver: () => boolean): Promise<void> {
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#pop();
      this.#now = next.at;
      const { host } = next;
      if (next.isCancelled || host?.isAlive === false) continue;
      if (host !== undefined && host.pausedUntil > this.#now) {
        next.at = host.pausedUntil;
        this.#push(next);
        continue;
      }
      if (host !== undefined) {
        this.onStep(host, next.what);
        if (!host.isAlive) continue;
      }
      this.#steps += 1;
      this.note(host === undefined ? next.what : `${host.name}: ${next.what}`);
      next.run();
      await promisesSettled();
      if (this.#steps % stepsPerTurn === 0) await nextTurn();
      if (isOver()) return;
    }
    await nextTurn();
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

/**
 * Waits until promises have settled. `process.nextTick` runs after all settled promises, and costs less than a turn of
 * the event loop.
 */
function promisesSettled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

/** Waits for the next turn of the event loop, because Node reports unhandled rejections between two turns. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
