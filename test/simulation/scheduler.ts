import { createHash, type Hash } from 'node:crypto';

/** A process of the simulation. What was planned for it while it lived happens only while it still does. */
export interface Host {
  readonly name: string;
  isAlive: boolean;
  /** It does nothing before this moment: a long collection of garbage, a stopped virtual machine. */
  pausedUntil: number;
  /** Ends the process at this very point. */
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

/** How much of the history is hashed at once, in characters. */
const hashedAtOnce = 16_384;
/** After how many steps the event loop gets its turn. */
const stepsPerTurn = 64;

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
  /** Notes that are not in the hash yet. */
  #fresh = '';
  /** Told before each step of a process, which may end there and then: between any two things that it does. */
  onStep: (host: Host, what: string) => void = () => {};

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
    this.#hashFresh();
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  /** Plans something `delayMs` from now; with a host, for as long as that one lives. Returns how to cancel it. */
  after(delayMs: number, what: string, run: () => void, host?: Host): () => void {
    const at = this.#now + Math.max(0, delayMs);
    const planned: Planned = { at, order: this.#order++, host, what, run, isCancelled: false };
    this.#push(planned);
    return () => {
      planned.isCancelled = true;
    };
  }

  /** Notes what has happened, for the trace and its hash. */
  note(line: string): void {
    const entry = `${this.#now.toFixed(3)} ${line}`;
    this.#fresh += `${entry}\n`;
    if (this.#fresh.length > hashedAtOnce) this.#hashFresh();
    this.#trace?.(entry);
  }

  /** For the trace alone: what may differ from one machine to another. */
  remark(line: string): void {
    this.#trace?.(line);
  }

  #hashFresh(): void {
    this.#hash.update(this.#fresh);
    this.#fresh = '';
  }

  /** Lets everything happen that is planned up to a moment, or until `isOver` says so after a step. */
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

/** Ticks come when every promise that does not wait for something planned has gone on: cheaper than a turn of the loop. */
function promisesSettled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

/** What nobody has handled is told of between two turns of the event loop. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
