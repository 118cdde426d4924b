import { closeSync, existsSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { locateDatabase } from './database-path.ts';
import { sqliteCode, sqliteCodeOf } from './errors.ts';
import { prepareIndexes, prepareSchema } from './schema.ts';

export interface ConnectionOptions {
  /** The database file. Its folder is made if it does not exist. `:memory:` keeps everything in memory. */
  readonly file: string;
  /**
   * Whether to read only, beside a running server, without the lock that refuses a second process. The file must exist.
   */
  readonly readOnly?: boolean;
  /** Makes the index for counting orders by email, which a limit per email needs. Default false. */
  readonly countsEmails?: boolean;
}

export interface Connection {
  readonly db: DatabaseSync;
  /** The real path, without symbolic links. */
  readonly file: string;
  readonly inMemory: boolean;
  close(): void;
}

/** How long a statement waits for another connection's lock. Short, because it blocks the process. */
const busyTimeoutMs = 1000;

/**
 * Opens a database and makes its tables.
 * @throws Error with one line that names the file and says what is wrong with it.
 */
export function openConnection(options: ConnectionOptions): Connection {
  const { readOnly = false, countsEmails = false } = options;
  const inMemory = options.file === ':memory:';
  const file = inMemory ? options.file : locateDatabase(options.file, readOnly);
  const release = readOnly || inMemory ? () => {} : explained(file, () => lockProcess(file));
  try {
    const db = explained(file, () => {
      if (!readOnly && !inMemory) createPrivately(file);
      return openDatabase(file, readOnly, countsEmails);
    });
    const close = () => {
      if (db.isOpen) db.close();
      release();
    };
    return { db, file, inMemory, close };
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * Makes a file that only this user may read, because it contains emails and the secret. SQLite gives the files beside
 * it the same mode.
 */
function createPrivately(file: string): void {
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
}

function openDatabase(file: string, readOnly: boolean, countsEmails: boolean): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly, timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
  try {
    if (!readOnly) {
      // WAL lets an audit read while the server writes; `full` makes a commit survive the machine's crash.
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0');
      // When `Checkpoints` has made SQLite write the log from its start again, SQLite cuts the log's file to 64 MiB.
      db.exec('PRAGMA journal_size_limit = 67108864');
      // Overwrites deleted content, so that an erased email is not in the file any more.
      db.exec('PRAGMA secure_delete = ON');
    }
    db.exec('PRAGMA cache_size = -32768');
    prepareSchema(db, file, readOnly);
    if (!readOnly) prepareIndexes(db, countsEmails);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Adds the file's name to an error of SQLite. */
function explained<T>(file: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    const code = sqliteCodeOf(error);
    if (code === undefined) throw error;
    if (code === sqliteCode.notADatabase) {
      throw new Error(`${file} is not an SQLite database`, { cause: error });
    }
    throw new Error(`cannot open ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Takes an exclusive lock on `<file>.lock`, so that only this process writes to the file. SQLite uses a lock of the
 * kernel, which ends with the process. Readers need no lock.
 * @returns the function that releases the lock; calling it repeatedly is safe.
 * @throws Error if another process, or another store of this process, holds the lock.
 */
function lockProcess(file: string): () => void {
  const sidecar = new DatabaseSync(`${file}.lock`, { timeout: 0 });
  try {
    // Only the lock matters. Nothing is written, so a journal file is not needed.
    sidecar.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    sidecar.close();
    if (sqliteCodeOf(error) !== sqliteCode.busy) throw error;
    throw new Error(`${file} is in use by another process (a running server?): stop that one first`);
  }
  return () => {
    if (sidecar.isOpen) sidecar.close();
  };
}
