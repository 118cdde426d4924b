import type { LoadResult } from '../stage.ts';
import { Latencies } from './histogram.ts';
import { codeIn } from './requests.ts';

/** What came of the requests of one load. */
export class Tally {
  dropped = 0;
  errors = 0;
  /** Of all answers, measured or not: for the live progress. */
  seen = 0;
  readonly #answers = new Map<string, number>();
  readonly #finished = new Latencies();
  readonly #refusal = new Latencies();
  readonly #other = new Latencies();

  /** An answer that arrived while it was measured. */
  count(status: number, body: Buffer): void {
    const name = status < 300 ? String(status) : `${status} ${codeIn(body)}`.trimEnd();
    this.#answers.set(name, (this.#answers.get(name) ?? 0) + 1);
  }

  record(status: number, ms: number): void {
    const latencies =
      status === 201 ? this.#finished : status >= 400 && status < 500 ? this.#refusal : this.#other;
    latencies.record(ms);
  }

  result(seconds: number, clientCpu: number): LoadResult {
    const answer = new Latencies();
    for (const each of [this.#finished, this.#refusal, this.#other]) answer.add(each);
    return {
      seconds,
      answers: Object.fromEntries([...this.#answers].sort(([a], [b]) => a.localeCompare(b))),
      latencies: {
        answer: answer.percentiles(),
        finished: this.#finished.percentiles(),
        refusal: this.#refusal.percentiles(),
      },
      dropped: this.dropped,
      errors: this.errors,
      clientCpu,
    };
  }
}
