import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Log } from '../../observability/log.ts';
import type { CheckpointReport } from './checkpoint-worker.ts';
import type { Connection } from './connection.ts';

/** Rows written between two checkpoints: about 16 MB of log. */
const rowsBetween = 2_000;
/** A log of more pages than this begins again from its start: about 16 MB. */
const logPagesMax = 4_000;
/** Above this length of the log, commits wait even for a long pass: about 256 MB. */
const longLogPages = 65_536;
/** The most passes before the last one. Each pass copies what was written during the one before. */
const passesMax = 4;
/** A pass of so many pages takes a few ms, so commits may wait for it. */
const shortPassPages = 400;

/**
 * Keeps the log of an SQLite database short. SQLite would copy the log into the file during a commit, which blocked the
 * process for 100 ms and more. Here a worker thread copies it beside the commits. The log can only begin again from its
 * start at a moment when all of it is copied:
 *
 * 1. Copy the log. Commits continue meanwhile.
 * 2. Copy what was written meanwhile, until a pass is short.
 * 3. Hold commits, without blocking the process.
 * 4. Copy the rest, and let the commits go on.
 *
 * While a reader needs an old state of the file, the log grows. It shrinks after that reader has ended.
 */
export class Checkpoints {
  readonly #file: string;
  readonly #onFailure: () => void;
  readonly #log: Log | undefined;
  #worker: Worker | undefined;
  #rows = 0;
  #running: Promise<void> | undefined;
  #isOver = false;
  #hasFailed = false;
  #hold: Promise<unknown> | undefined;

  /** @param onFailure called once if there are no further checkpoints: SQLite has to make them then. */
  constructor(file: string, onFailure: () => void, log?: Log) {
    this.#file = file;
    this.#onFailure = onFailure;
    this.#log = log;
  }

  /** Commits have to wait for this. It never rejects. */
  get hold(): Promise<unknown> | undefined {
    return this.#hold;
  }

  /** Call this after each commit. */
  wrote(rows: number): void {
    this.#rows += rows;
    if (this.#rows < rowsBetween || this.#isOver) return;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Ends the worker, which has the file open. */
  async close(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    if (this.#worker === undefined) return;
    this.#worker.ref();
    const ended = Promise.withResolvers<void>();
    this.#worker.on('exit', ended.resolve);
    this.#worker.postMessage('close');
    await ended.promise;
  }

  async #run(): Promise<void> {
    this.#rows = 0;
    try {
      let report = await this.#copy();
      let newPages = report.log;
      for (let pass = 1; pass < passesMax && newPages > shortPassPages; pass++) {
        if (report.log < logPagesMax) return;
        const before = report.log;
        report = await this.#copy();
        newPages = report.log - before;
      }
      // What is not copied by now is needed by a reader.
      if (report.log < logPagesMax || report.copied < report.log) return;
      // Under a heavy load no pass is short. The log then grows on, until commits have to wait for a long pass.
      if (newPages > shortPassPages && report.log < longLogPages) return;
      const last = this.#copy();
      this.#hold = last.catch(() => {});
      await last;
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#hold = undefined;
    }
  }

  /** Copies the log as it is now. @throws Error if the worker fails. */
  async #copy(): Promise<CheckpointReport> {
    this.#worker ??= this.#start();
    this.#worker.postMessage('copy');
    // `once` rejects when the worker emits an error.
    const [report] = (await once(this.#worker, 'message')) as [CheckpointReport];
    return report;
  }

  #start(): Worker {
    const worker = startWorker(this.#file);
    // The worker may also fail while it is idle, and an error without a listener would end the process.
    worker.on('error', (error) => this.#fail(error));
    return worker;
  }

  #fail(err: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#isOver = true;
    // The worker has ended: an error that it does not catch ends it.
    this.#worker = undefined;
    this.#log?.error({ err }, 'the thread for checkpoints has failed: commits make them from now on');
    this.#onFailure();
  }
}

/**
 * Begins the checkpoints of an open database. Returns undefined if there are none, or if SQLite makes them during
 * commits, because another process may have a worker for the same file.
 */
export function openCheckpoints(
  { db, file, inMemory, isBeside }: Connection,
  log?: Log,
): Checkpoints | undefined {
  const checkpointDuringCommits = () => db.exec(`PRAGMA wal_autocheckpoint = ${logPagesMax}`);
  if (isBeside) checkpointDuringCommits();
  return inMemory || isBeside ? undefined : new Checkpoints(file, checkpointDuringCommits, log);
}

function startWorker(file: string): Worker {
  const worker = new Worker(new URL('checkpoint-worker.ts', import.meta.url), {
    workerData: file,
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
  });
  worker.unref();
  return worker;
}
