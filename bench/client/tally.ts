import type { LoadResult } from '../stage.ts';
import { Latencies } from './histogram.ts';
import { isOutcome } from './outcomes.ts';
import { codeIn } from './requests.ts';

/** What came of the requests of one load. */
export class Tally {
  /** Not sent in time. */
  dropped = 0;
  /** Connections that failed, and requests without an answer. */
  errors = 0;
  /** Of all answers, measured or not: for the live progress. */
  seen = 0;
  readonly #answers = new Map<string, number>();
  readonly #reasons = new Map<string, number>();
  readonly #finished = new Latencies();
  readonly #refusal = new Latencies();
  /** Refused for no reason that a sale has: 401, 429. */
  readonly #rejection = new Latencies();
  readonly #otherOutcome = new Latencies();
  readonly #failure = new Latencies();

  /** An answer that arrived while it was measured. */
  count(status: number, body: Buffer): void {
    this.countAs(answerName(status, body));
  }

  countAs(name: string): void {
    this.#answers.set(name, (this.#answers.get(name) ?? 0) + 1);
  }

  record(status: number, ms: number, name = String(status)): void {
    this.#latenciesOf(status, name).record(ms);
  }

  /** An error, why: `ECONNREFUSED`, `no answer`. */
  fail(reason: string, count = 1): void {
    if (count === 0) return;
    this.errors += count;
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + count);
  }

  result(seconds: number, clientCpu: number): LoadResult {
    return {
      seconds,
      answers: sorted(this.#answers),
      latencies: {
        answer: together(
          this.#finished,
          this.#refusal,
          this.#rejection,
          this.#otherOutcome,
          this.#failure,
        ).percentiles(),
        outcome: together(this.#finished, this.#refusal, this.#otherOutcome).percentiles(),
        finished: this.#finished.percentiles(),
        refusal: together(this.#refusal, this.#rejection).percentiles(),
      },
      dropped: this.dropped,
      errors: this.errors,
      reasons: sorted(this.#reasons),
      clientCpu,
    };
  }

  #latenciesOf(status: number, name: string): Latencies {
    if (status === 201) return this.#finished;
    const isRefusal = status >= 400 && status < 500;
    if (isOutcome(name)) return isRefusal ? this.#refusal : this.#otherOutcome;
    return isRefusal ? this.#rejection : this.#failure;
  }
}

/** By status and problem code: `201`, `409 sold_out`. */
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
