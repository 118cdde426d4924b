import { closeSync, existsSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { lockFile } from '../../lib/file-lock.ts';
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
  /**
   * Whether to write beside a running server, without the lock that refuses a second process. The file must exist, with
   * the tables of this release. Only for the archive: what a server has in memory must not be written beside it.
   */
  readonly beside?: boolean;
  /** Makes the index for counting orders by email, which a limit per email needs. Default false. */
  readonly countsEmails?: boolean;
}

export interface Connection {
  readonly db: DatabaseSync;
  /** The real path, without symbolic links. */
  readonly file: string;
  readonly inMemory: boolean;
  /** Whether a server may have the file open too, and keep its log short. */
  readonly isBeside: boolean;
  /** Whether this process has the lock, so that nothing but an archive beside it changes the file. */
  readonly isLocked: boolean;
  close(): void;
}

/** How long a statement waits for another connection's lock. Short, because it blocks the process. */
const busyTimeoutMs = 1000;

/**
 * Opens a database and makes its tables.
 * @throws Error with one line that names the file and says what is wrong with it.
 */
export function openConnection(options: ConnectionOptions): Connection {
  const { readOnly = false, beside: isBeside = false, countsEmails = false } = options;
  const inMemory = options.file === ':memory:';
  const file = inMemory ? options.file : locateDatabase(options.file, readOnly || isBeside);
  const isLocked = !readOnly && !isBeside && !inMemory;
  const release = isLocked ? explained(file, () => lockFile(file, inUse(file))) : () => {};
  try {
    const db = explained(file, () => {
      if (isLocked) createPrivately(file);
      return openDatabase(file, { readOnly, isBeside, countsEmails });
    });
    const close = () => {
      if (db.isOpen) db.close();
      release();
    };
    return { db, file, inMemory, isBeside, isLocked, close };
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

interface OpenOptions {
  readonly readOnly: boolean;
  readonly isBeside: boolean;
  readonly countsEmails: boolean;
}

function openDatabase(file: string, { readOnly, isBeside, countsEmails }: OpenOptions): DatabaseSync {
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
    prepareSchema(db, file, readOnly ? 'read' : isBeside ? 'check' : 'make');
    if (!readOnly && !isBeside) prepareIndexes(db, countsEmails);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Only one process writes to the file. Readers need no lock. */
function inUse(file: string): string {
  return `${file} is in use by another process (a running server?): stop that one first`;
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
