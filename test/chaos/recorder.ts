import { clientsNow } from './clock.ts';
import type { HistoryEntry } from './history.ts';
import { type HistoryFile, openHistory } from './history-file.ts';
import { RunCounts } from './run-counts.ts';
import { Unfinished } from './unfinished.ts';

/** Records a run, and computes the counts that are needed during the run. */
export class Recorder implements AsyncDisposable {
  readonly counts = new RunCounts();
  readonly unfinished = new Unfinished();
  readonly #history: HistoryFile;
  #closing: Promise<void> | undefined;

  private constructor(history: HistoryFile) {
    this.#history = history;
  }

  /** @throws Error when the file cannot be written. */
  static async open(file: string): Promise<Recorder> {
    return new Recorder(await openHistory(file));
  }

  readonly write = (entry: HistoryEntry): void => {
    this.#history.write(entry);
    this.counts.record(entry);
    this.unfinished.record(entry);
  };

  phase(phase: string): void {
    this.write({ kind: 'phase', at: clientsNow(), phase });
  }

  /** Resolves when all entries are on the disk. */
  close(): Promise<void> {
    this.#closing ??= this.#history.close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
