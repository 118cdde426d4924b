import type { LoadResult } from '../testbed.ts';
import { Latencies } from './histogram.ts';
import { isOutcome } from './outcomes.ts';
import { codeIn } from './requests.ts';

/** The results of the requests of a load, or of one of its stages. */
export class LoadCounts {
  /** Requests that could not be sent in time. */
  dropped = 0;
  /** Failed connections and requests without an answer. */
  errors = 0;
  readonly #answers = new Map<string, number>();
  readonly #reasons = new Map<string, number>();
  readonly #confirmed = new Latencies();
  readonly #refusal = new Latencies();
  /** Refusals that do not come from the sale: 401, 429. */
  readonly #rejection = new Latencies();
  readonly #otherOutcome = new Latencies();
  /** Answers without an outcome: 202, 503. */
  readonly #other = new Latencies();

  /** @param name the answer as `answerName` returns it. */
  answered(name: string, ms: number): void {
    this.#answers.set(name, (this.#answers.get(name) ?? 0) + 1);
    this.#latenciesOf(name).record(ms);
  }

  /** @param reason `ECONNREFUSED`, `no answer`. */
  fail(reason: string, count = 1): void {
    if (count === 0) return;
    this.errors += count;
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + count);
  }

  /** The p99 of the outcomes so far in ms; undefined without any. */
  p99(): number | undefined {
    const { count, p99 } = this.#outcomes().percentiles();
    return count === 0 ? undefined : p99;
  }

  result(seconds: number, clientCpu: number): LoadResult {
    return {
      seconds,
      answers: sorted(this.#answers),
      latencies: {
        answer: together(
          this.#confirmed,
          this.#refusal,
          this.#rejection,
          this.#otherOutcome,
          this.#other,
        ).distribution(),
        outcome: this.#outcomes().distribution(),
        confirmed: this.#confirmed.distribution(),
        refusal: together(this.#refusal, this.#rejection).distribution(),
      },
      dropped: this.dropped,
      errors: this.errors,
      reasons: sorted(this.#reasons),
      clientCpu,
    };
  }

  #outcomes(): Latencies {
    return together(this.#confirmed, this.#refusal, this.#otherOutcome);
  }

  #latenciesOf(name: string): Latencies {
    if (name === '201') return this.#confirmed;
    const isRefusal = name.startsWith('4');
    if (isOutcome(name)) return isRefusal ? this.#refusal : this.#otherOutcome;
    return isRefusal ? this.#rejection : this.#other;
  }
}

/** Status and problem code: `201`, `409 sold_out`. */
export function answerName(status: number, body: Buffer): string {
  return status < 300 ? String(status) : `${status} ${codeIn(body)}`.trimEnd();
}

function together(...parts: readonly Latencies[]): Latencies {
  const all = new Latencies();
  for (const part of parts) all.add(part);
  return all;
}

function sorted(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].sort(([a], [b]) => a.localeCompare(b)));
}
