import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterProcess } from '../support/cluster.ts';

/** Reports a violation of a rule. */
export type ReportViolation = (rule: string, words: string) => void;

const lastWords = 1_500;
const startsMax = 3;

/**
 * An instance that only the nemesis may end. Any other end is reported as a violation, and the instance is started
 * again.
 */
export class WatchedInstance {
  readonly instance: ClusterProcess;
  readonly #reportViolation: ReportViolation;
  #isTaken = false;
  #isLeaving = false;

  constructor(instance: ClusterProcess, reportViolation: ReportViolation) {
    this.instance = instance;
    this.#reportViolation = reportViolation;
    this.#watch();
  }

  get id(): string {
    return this.instance.id;
  }

  /** Whether a fault has taken the instance. */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** Takes the instance for a fault. Waits until the fault before has released the instance. */
  async take(): Promise<void> {
    while (this.#isTaken) await sleep(20);
    this.#isTaken = true;
  }

  release(): void {
    this.#isTaken = false;
  }

  /** From now on, an end of the instance is not a violation. */
  leave(): void {
    this.#isLeaving = true;
  }

  async kill(): Promise<void> {
    this.#isLeaving = true;
    await this.instance.kill();
  }

  async terminate(): Promise<void> {
    this.#isLeaving = true;
    const before = this.instance.log().length;
    const code = await this.instance.terminate();
    if (code === 0) return;
    const how = code === null ? 'had to be killed' : `ended with exit code ${code}`;
    this.#reportViolation(
      'drain',
      `${this.id} ${how} after SIGTERM: ${tail(this.instance.log().slice(before))}`,
    );
  }

  async restart(): Promise<void> {
    for (let attempt = 1; !this.instance.isRunning; attempt++) {
      try {
        await this.instance.restart();
      } catch (error) {
        this.#reportViolation('start', `${this.id} did not start again: ${tail(String(error))}`);
        if (attempt === startsMax) throw error;
      }
    }
    this.#isLeaving = false;
    this.#watch();
  }

  #watch(): void {
    void this.instance.ended.then((code) => {
      if (this.#isLeaving) return;
      const how = code === null ? 'by a signal' : `with exit code ${code}`;
      this.#reportViolation('no crash', `${this.id} ended by itself ${how}: ${tail(this.instance.log())}`);
      void this.#comeBack();
    });
  }

  async #comeBack(): Promise<void> {
    await this.take();
    await this.restart().catch(() => {});
    this.release();
  }
}

function tail(text: string): string {
  return text.trimEnd().slice(-lastWords);
}
