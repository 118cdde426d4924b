import type { DatabaseSync } from 'node:sqlite';
import { Batcher } from '../../lib/batcher.ts';
import { CommitUnknownError, StoreUnavailableError, UnreadableError } from '../store.ts';
import type { Checkpoints } from './checkpoints.ts';
import { isUnavailable, sqliteCode, sqliteCodeOf, unavailable } from './errors.ts';

interface Write {
  readonly work: () => unknown;
  readonly rows: number;
}

/** A flush blocks the process, so it ends at this many rows (about 20 ms). Further writes wait for the next turn. */
const rowsPerFlush = 2000;

/**
 * Gathers writes, normally those of one turn of the event loop, in one transaction, so that any number of packages share
 * one fsync. If a write throws, only this write is undone and rejected. Promises settle after the COMMIT.
 */
export class GroupCommit {
  readonly #db: Pick<DatabaseSync, 'exec' | 'isTransaction'>;
  readonly #writes: Batcher<Write, unknown>;
  readonly #checkpoints: Pick<Checkpoints, 'hold' | 'wrote'> | undefined;
  #isClosed = false;

  constructor(
    db: Pick<DatabaseSync, 'exec' | 'isTransaction'>,
    checkpoints?: Pick<Checkpoints, 'hold' | 'wrote'>,
  ) {
    this.#db = db;
    this.#checkpoints = checkpoints;
    this.#writes = new Batcher({
      run: (writes) => this.#flushAfterHold(writes),
      weigh: ({ rows }) => rows,
      weightMax: rowsPerFlush,
      schedule: setImmediate,
    });
  }

  /**
   * Runs `work` in the next flush. Resolves with its result once the write is durable.
   * @param work may run twice: if a write of the flush throws, all are undone and run again in savepoints.
   * @param rows about how many rows the work writes.
   * @throws StoreUnavailableError if the write was not applied, but may work later.
   * @throws CommitUnknownError if the write may or may not have been applied.
   */
  write<T>(work: () => T, rows = 1): Promise<T> {
    if (this.#isClosed) return Promise.reject(new StoreUnavailableError('the store is closed'));
    return this.#writes.add({ work, rows }) as Promise<T>;
  }

  /** Refuses new writes, and resolves when the waiting writes are done. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#writes.idle();
  }

  #flushAfterHold(writes: readonly Write[]): unknown[] | Promise<unknown[]> {
    const hold = this.#checkpoints?.hold;
    return hold === undefined ? this.#flush(writes) : hold.then(() => this.#flush(writes));
  }

  /** Runs the writes in one transaction. Returns the result of each write, or the Error that the write threw. */
  #flush(writes: readonly Write[]): unknown[] {
    let results: unknown[];
    try {
      results = this.#runTogether(writes) ?? this.#runApart(writes);
    } catch (error) {
      this.#rollBack();
      throw unavailable(error);
    }
    try {
      this.#db.exec('COMMIT');
    } catch (error) {
      throw this.#commitFailed(error);
    }
    this.#checkpoints?.wrote(writes.reduce((sum, { rows }) => sum + rows, 0));
    return results;
  }

  /**
   * Runs the writes without savepoints, because SQLite copies each page that a savepoint changes. Returns undefined if
   * a write threw. @throws Error if the whole flush is lost.
   */
  #runTogether(writes: readonly Write[]): unknown[] | undefined {
    this.#begin();
    try {
      return writes.map(({ work }) => work());
    } catch (error) {
      if (isOfWholeFlush(error)) throw error;
      return undefined;
    }
  }

  /** Runs each write in a savepoint. @throws Error if the whole flush is lost. */
  #runApart(writes: readonly Write[]): unknown[] {
    this.#begin();
    return writes.map(({ work }) => {
      this.#db.exec('SAVEPOINT one');
      try {
        const result = work();
        this.#db.exec('RELEASE one');
        return result;
      } catch (error) {
        // Errors like a full disk end SQLite's whole transaction, and the next write would fail too.
        if (isOfWholeFlush(error) || !this.#db.isTransaction) throw error;
        this.#db.exec('ROLLBACK TO one; RELEASE one');
        return error instanceof Error ? error : new Error(String(error));
      }
    });
  }

  #begin(): void {
    this.#rollBack();
    this.#db.exec('BEGIN IMMEDIATE');
  }

  /**
   * After an I/O error at COMMIT a later crash may still make the commit valid, because its last page may be on the disk.
   * So its outcome is unknown. After any other error nothing is applied, once the transaction is rolled back.
   */
  #commitFailed(error: unknown): Error {
    const isUndone = this.#rollBack();
    if (isUndone && sqliteCodeOf(error) !== sqliteCode.ioError) return unavailable(error);
    return new CommitUnknownError(`the commit's outcome is unknown: ${String(error)}`, { cause: error });
  }

  /** Rolls back. Returns true when no transaction is open afterwards. */
  #rollBack(): boolean {
    try {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
    } catch {
      // The next flush tries to roll back again before it begins.
    }
    return !this.#db.isTransaction;
  }
}

/**
 * Whether the disk or the file is the cause of an error, so that no write of the flush can be applied. An
 * UnreadableError counts as unavailable, too, but concerns the document of a single write.
 */
function isOfWholeFlush(error: unknown): boolean {
  return isUnavailable(error) && !(error instanceof UnreadableError);
}
