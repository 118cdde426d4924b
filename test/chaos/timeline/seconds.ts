import type { PurchaseEntry } from '../history.ts';
import { type Outcome, outcomes } from './palette.ts';

/** Latencies are kept by the power of this that they reach: to about 4 %. */
const step = 1.04;
const secondMs = 1_000;

interface Second {
  readonly counts: Map<Outcome, number>;
  /** How many answers took how many steps. */
  readonly latencies: Map<number, number>;
}

/** A stretch of time, with what was answered in it. */
export interface Bin {
  /** ms since 1970. */
  readonly at: number;
  readonly perSecond: Readonly<Record<Outcome, number>>;
  /** In ms; undefined where nothing was answered. */
  readonly p50?: number;
  readonly p99?: number;
}

/** What was answered to purchases, second by second: all that the plots need of a history of any length. */
export class Seconds {
  readonly #seconds = new Map<number, Second>();
  readonly totals = new Map<Outcome, number>();
  /** By status and code. */
  readonly answers = new Map<string, number>();

  see(purchase: PurchaseEntry): void {
    const second = this.#second(Math.floor(purchase.endedAt / secondMs));
    const outcome = outcomeOf(purchase);
    add(second.counts, outcome, 1);
    add(this.totals, outcome, 1);
    const { status, code, error = 'unknown' } = purchase;
    add(
      this.answers,
      status === undefined ? `no answer: ${error}` : [status, code].filter(Boolean).join(' '),
      1,
    );
    if (status === undefined) return;
    const tookMs = Math.max(1, purchase.endedAt - purchase.sentAt);
    add(second.latencies, Math.round(Math.log(tookMs) / Math.log(step)), 1);
  }

  /** The first and the last millisecond in which anything was answered. */
  get range(): readonly [number, number] | undefined {
    if (this.#seconds.size === 0) return undefined;
    let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const second of this.#seconds.keys()) {
      first = Math.min(first, second);
      last = Math.max(last, second);
    }
    return [first * secondMs, (last + 1) * secondMs];
  }

  /** All of it in at most so many bins of equal length, in whole seconds. */
  bins(binsMax: number): Bin[] {
    const { range } = this;
    if (range === undefined) return [];
    const [from, to] = range.map((at) => at / secondMs) as [number, number];
    const length = Math.max(1, Math.ceil((to - from) / binsMax));
    const bins: Bin[] = [];
    for (let at = from; at < to; at += length) bins.push(this.#bin(at, Math.min(length, to - at)));
    return bins;
  }

  #bin(from: number, length: number): Bin {
    const perSecond = Object.fromEntries(Object.keys(outcomes).map((name) => [name, 0])) as Record<
      Outcome,
      number
    >;
    const latencies = new Map<number, number>();
    for (let at = from; at < from + length; at++) {
      const second = this.#seconds.get(at);
      for (const [outcome, count] of second?.counts ?? []) perSecond[outcome] += count / length;
      for (const [steps, count] of second?.latencies ?? []) add(latencies, steps, count);
    }
    const at = (from + length / 2) * secondMs;
    if (latencies.size === 0) return { at, perSecond };
    return { at, perSecond, p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
  }

  #second(at: number): Second {
    let second = this.#seconds.get(at);
    if (second === undefined) {
      second = { counts: new Map(), latencies: new Map() };
      this.#seconds.set(at, second);
    }
    return second;
  }
}

function outcomeOf({ status, code }: PurchaseEntry): Outcome {
  if (status === undefined) return 'silence';
  if (status === 201) return 'confirmed';
  if (status === 200 || status === 202) return 'accepted';
  if (status === 502) return 'failed';
  if (status === 503) return 'unavailable';
  if (code === 'sold_out') return 'sold-out';
  return code === 'queue_full' ? 'queue-full' : 'other';
}

/** The least latency that so great a share of them does not exceed. */
function percentile(latencies: ReadonlyMap<number, number>, share: number): number {
  const sorted = [...latencies].sort(([a], [b]) => a - b);
  let left = share * sorted.reduce((sum, [, count]) => sum + count, 0);
  const found = sorted.find(([, count]) => {
    left -= count;
    return left <= 0;
  });
  return step ** (found ?? (sorted.at(-1) as [number, number]))[0];
}

function add<Key>(counts: Map<Key, number>, key: Key, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
