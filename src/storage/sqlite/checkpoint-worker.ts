// Runs in a worker thread: copies the log of an SQLite database into its file each time that it is asked to, and
// answers with a `CheckpointReport`.
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

/** What one checkpoint has done. Counts are in pages. */
export interface CheckpointReport {
  /** Pages in the log. */
  readonly log: number;
  /** Of these, the pages that are in the file too. Fewer than all if a reader still needs the file as it was. */
  readonly copied: number;
}

const db = new DatabaseSync(workerData as string, { timeout: 0 });
// The file is synced before the log may be overwritten.
db.exec('PRAGMA synchronous = FULL');
// A passive checkpoint blocks no reader and no writer, and none blocks it.
const checkpoint = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');

parentPort?.on('message', (message: 'copy' | 'close') => {
  if (message === 'copy') {
    const { log, checkpointed } = checkpoint.get() as Record<string, number>;
    return parentPort?.postMessage({ log, copied: checkpointed });
  }
  db.close();
  return parentPort?.close();
});
