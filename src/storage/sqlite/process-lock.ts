import { DatabaseSync } from 'node:sqlite';
import { sqliteCode, sqliteCodeOf } from './errors.ts';

export interface ProcessLock {
  /** Harmless when repeated. */
  release(): void;
}

/**
 * Makes this process the only one that writes to `file`, by an exclusive lock on `<file>.lock`. It is a lock of
 * the kernel's, taken through SQLite, so it ends with the process, however that ends. Readers need none.
 * @throws Error when another process (or another store of this one) holds it.
 */
export function lockFor(file: string): ProcessLock {
  const sidecar = new DatabaseSync(`${file}.lock`, { timeout: 0 });
  try {
    // The lock is all that is wanted of this database: nothing is written, so it needs no journal file.
    sidecar.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    sidecar.close();
    if (sqliteCodeOf(error) !== sqliteCode.busy) throw error;
    throw new Error(`${file} is in use by another process (a running server?): stop that one first`);
  }
  return {
    release() {
      if (sidecar.isOpen) sidecar.close();
    },
  };
}
