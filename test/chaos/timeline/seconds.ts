import type { PurchaseEntry } from '../history.ts';
import { type PurchaseResult, results } from './colours.ts';

/** Base of the latency histogram: bucket `n` is `step ** n` ms, which is exact to about 4 %. */
const step = 1.04;
const secondMs = 1_000;

interface Second {
  readonly counts: Map<PurchaseResult, number>;
  /** Answers by bucket of the latency histogram. */
  readonly latencies: Map<number, number>;
}

/** Rates and latencies of some seconds. */
export interface Bin {
  /** The middle of the bin in ms since 1970. */
  readonly at: number;
  readonly perSecond: Readonly<Record<PurchaseResult, number>>;
  /** In ms; absent without answers. */
  readonly p50?: number;
  readonly p99?: number;
}

/** Counts the answers to purchases by second. Its memory depends on the run's length, not on the number of requests. */
export class Seconds {
  readonly #seconds = new Map<number, Second>();
  readonly totals = new Map<PurchaseResult, number>();
  /** Answers by status and code. */
  readonly answers = new Map<string, number>();

  add(purchase: PurchaseEntry): void {
    const second = this.#second(Math.floor(purchase.endedAt / secondMs));
    const result = resultOf(purchase);
    increase(second.counts, result, 1);
    increase(this.totals, result, 1);
    const { status, code, error = 'unknown' } = purchase;
    increase(
      this.answers,
      status === undefined ? `no answer: ${error}` : [status, code].filter(Boolean).join(' '),
      1,
    );
    if (status === undefined) return;
    const tookMs = Math.max(1, purchase.endedAt - purchase.sentAt);
    increase(second.latencies, Math.round(Math.log(tookMs) / Math.log(step)), 1);
  }

  /** The first and the last second with an entry, in ms since 1970. */
  get range(): readonly [number, number] | undefined {
    if (this.#seconds.size === 0) return undefined;
    let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const second of this.#seconds.keys()) {
      first = Math.min(first, second);
      last = Math.max(last, second);
    }
    return [first * secondMs, (last + 1) * secondMs];
  }

  /** The whole run in at most `binsMax` bins of equal length in whole seconds; the last one may be shorter. */
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
    const perSecond = Object.fromEntries(Object.keys(results).map((name) => [name, 0])) as Record<
      PurchaseResult,
      number
    >;
    const latencies = new Map<number, number>();
    for (let at = from; at < from + length; at++) {
      const second = this.#seconds.get(at);
      for (const [result, count] of second?.counts ?? []) perSecond[result] += count / length;
      for (const [steps, count] of second?.latencies ?? []) increase(latencies, steps, count);
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

function resultOf({ status, code }: PurchaseEntry): PurchaseResult {
  if (status === undefined) return 'unanswered';
  if (status === 201) return 'confirmed';
  if (status === 200 || status === 202) return 'accepted';
  if (status === 402 || status === 502) return 'failed';
  if (status === 503) return 'unavailable';
  if (code === 'sold_out') return 'sold-out';
  return code === 'queue_full' ? 'queue-full' : 'other';
}

/** The smallest latency that at least this share of the answers does not exceed. */
function percentile(latencies: ReadonlyMap<number, number>, share: number): number {
  const sorted = [...latencies].sort(([a], [b]) => a - b);
  let left = share * sorted.reduce((sum, [, count]) => sum + count, 0);
  const found = sorted.find(([, count]) => {
    left -= count;
    return left <= 0;
  });
  return step ** (found ?? (sorted.at(-1) as [number, number]))[0];
}

function increase<Key>(counts: Map<Key, number>, key: Key, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
