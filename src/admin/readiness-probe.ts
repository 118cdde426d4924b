import type { OperatedEngine } from '../engine/operated-engine.ts';
import type { Clock } from '../lib/clock.ts';

/** Whoever asks for an instance's status waits less than a second for it. */
const waitMs = 300;
/** A store under load may take its time; from here on it counts as silent. */
const silentMs = 2_000;
const silence = ['the store, or the lease service, is silent'];

/**
 * What keeps an engine from taking orders, for who cannot wait: a store that is away takes seconds to be known as
 * such. Until then it goes by what was found last, and by the silence itself once that has lasted.
 */
export class ReadinessProbe {
  readonly #engine: Pick<OperatedEngine, 'readinessProblems'>;
  readonly #clock: Clock;
  #found: readonly string[] = [];
  #look: { readonly since: number; readonly ended: Promise<void> } | undefined;

  constructor(engine: Pick<OperatedEngine, 'readinessProblems'>, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  /** In words; empty when nothing is missing. */
  async read(): Promise<readonly string[]> {
    this.#look ??= { since: this.#clock.now(), ended: this.#lookNow() };
    const look = this.#look;
    const isOver = new AbortController();
    await Promise.race([look.ended, this.#clock.sleep(waitMs, isOver.signal)]);
    isOver.abort();
    const isSilent = this.#look === look && this.#clock.now() - look.since >= silentMs;
    return isSilent && this.#found.length === 0 ? silence : this.#found;
  }

  async #lookNow(): Promise<void> {
    try {
      this.#found = await this.#engine.readinessProblems();
    } catch {
      this.#found = silence;
    }
    this.#look = undefined;
  }
}
