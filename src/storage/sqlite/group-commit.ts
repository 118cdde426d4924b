import type { DatabaseSync } from 'node:sqlite';
import { CommitUnknownError, StoreUnavailableError } from '../store.ts';
import { isUnavailable, sqliteCode, sqliteCodeOf, unavailable } from './errors.ts';

interface Write {
  /** Runs inside a savepoint; what it throws undoes it, and it alone. */
  readonly work: () => unknown;
  readonly rows: number;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** A flush blocks the process, so it ends near this many rows (some 20 ms); the rest follows at once. */
const rowsPerFlush = 2000;

/**
 * Gathers the writes of one turn of the event loop into one transaction, so that any number of packages share
 * one fsync. Each write has its savepoint: its error is its own. Promises settle only after the COMMIT.
 */
export class GroupCommit {
  readonly #db: Pick<DatabaseSync, 'exec' | 'isTransaction'>;
  #waiting: Write[] = [];
  #scheduled = false;
  #closed = false;

  constructor(db: Pick<DatabaseSync, 'exec' | 'isTransaction'>) {
    this.#db = db;
  }

  /**
   * Runs `work` in the next flush; resolves with its result once it is durable.
   * @param rows about how many rows it writes.
   * @throws StoreUnavailableError when it was not applied and may work later.
   * @throws CommitUnknownError when it may or may not have been applied.
   */
  write<T>(work: () => T, rows = 1): Promise<T> {
    if (this.#closed) return Promise.reject(new StoreUnavailableError('the store is closed'));
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, rows, resolve, reject });
      this.#schedule();
    });
  }

  /** Writes what waits, then takes no more. */
  close(): void {
    this.#closed = true;
    while (this.#waiting.length > 0) this.#flush();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  #flush(): void {
    const batch = this.#take();
    if (batch.length === 0) return;
    let settle: (() => void)[];
    try {
      this.#rollBack();
      this.#db.exec('BEGIN IMMEDIATE');
      settle = batch.map((write) => this.#attempt(write));
    } catch (error) {
      this.#rollBack();
      rejectAll(batch, unavailable(error));
      return;
    }
    try {
      this.#db.exec('COMMIT');
    } catch (error) {
      rejectAll(batch, this.#commitFailed(error));
      return;
    }
    for (const tell of settle) tell();
  }

  #take(): Write[] {
    let rows = 0;
    const end = this.#waiting.findIndex((write) => {
      rows += write.rows;
      return rows >= rowsPerFlush;
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end + 1);
  }

  /** Returns how to settle the write once the flush is durable. Throws only when the whole flush is lost. */
  #attempt({ work, resolve, reject }: Write): () => void {
    this.#db.exec('SAVEPOINT one');
    try {
      const result = work();
      this.#db.exec('RELEASE one');
      return () => resolve(result as never);
    } catch (error) {
      // A full disk and its like end SQLite's whole transaction, and would fail the next write too.
      if (isUnavailable(error) || !this.#db.isTransaction) throw error;
      this.#db.exec('ROLLBACK TO one; RELEASE one');
      return () => reject(error);
    }
  }

  /**
   * After a failed fsync the commit's last page may have reached the disk: a crash before the next write would
   * bring it to life. Everything else that fails a COMMIT leaves it undone, once it is rolled back.
   */
  #commitFailed(error: unknown): Error {
    const undone = this.#rollBack();
    if (undone && sqliteCodeOf(error) !== sqliteCode.ioError) return unavailable(error);
    return new CommitUnknownError(`the commit's outcome is unknown: ${String(error)}`, { cause: error });
  }

  #rollBack(): boolean {
    try {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
    } catch {
      // The next flush tries again before it begins.
    }
    return !this.#db.isTransaction;
  }
}

function rejectAll(batch: readonly Write[], error: Error): void {
  for (const write of batch) write.reject(error);
}
