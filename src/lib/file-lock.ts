import { DatabaseSync } from 'node:sqlite';

/** SQLite's result code for a database that another connection has locked. */
const busy = 5;

/**
 * Takes an exclusive lock on `<file>.lock`, so that only one process writes to the file. SQLite uses a lock of the
 * kernel, which ends with the process.
 * @param inUse the message of the error if another process, or another user of the file in this process, has the lock.
 * @returns the function that releases the lock; calling it repeatedly is safe.
 * @throws Error with the message `inUse`.
 */
export function lockFile(file: string, inUse: string): () => void {
  const sidecar = new DatabaseSync(`${file}.lock`, { timeout: 0 });
  try {
    // Only the lock matters. Nothing is written, so a journal file is not needed.
    sidecar.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    sidecar.close();
    if (error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === busy)
      throw new Error(inUse);
    throw error;
  }
  return () => {
    if (sidecar.isOpen) sidecar.close();
  };
}
