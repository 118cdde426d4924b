import { closeSync, existsSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { locateDatabase } from './database-path.ts';
import { sqliteCode, sqliteCodeOf } from './errors.ts';
import { lockFor } from './process-lock.ts';
import { prepareEmailIndex, prepareOrdersByEmail, prepareSchema } from './schema.ts';

export interface ConnectionOptions {
  /** Its folder is made if it is not there. `:memory:` keeps everything in memory. */
  readonly file: string;
  /** Refuse a second process. Default: unless `readOnly`. */
  readonly exclusive?: boolean;
  /** Read beside a running server, without its lock; the file must be there. */
  readonly readOnly?: boolean;
  /** Orders are counted by email with every purchase: that wants an index. Default false. */
  readonly countsEmails?: boolean;
}

export interface Connection {
  readonly db: DatabaseSync;
  /** The file behind every symbolic link. */
  readonly file: string;
  readonly inMemory: boolean;
  close(): void;
}

/** How long a statement waits for another connection's lock; it blocks the process, so it is short. */
const busyTimeoutMs = 1000;

/**
 * Opens a database and makes its tables.
 * @throws Error with one line that names the file and what is wrong with it.
 */
export function openConnection(options: ConnectionOptions): Connection {
  const { readOnly = false, exclusive = !readOnly, countsEmails = false } = options;
  const inMemory = options.file === ':memory:';
  const file = inMemory ? options.file : locateDatabase(options.file, readOnly);
  const lock = exclusive && !inMemory ? explained(file, () => lockFor(file)) : undefined;
  try {
    const db = explained(file, () => {
      if (!readOnly && !inMemory) createPrivately(file);
      return openDatabase(file, readOnly, countsEmails);
    });
    const close = () => {
      if (db.isOpen) db.close();
      lock?.release();
    };
    return { db, file, inMemory, close };
  } catch (error) {
    lock?.release();
    throw error;
  }
}

/** Emails are in it, and the secret: it is for this user's eyes, and what SQLite puts beside it has the same mode. */
function createPrivately(file: string): void {
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
}

function openDatabase(file: string, readOnly: boolean, countsEmails: boolean): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly, timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
  try {
    if (!readOnly) {
      // WAL lets an audit read while the server writes; `full` makes a commit survive the machine's crash.
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000');
      // Whatever is replaced is overwritten: an email that was erased shall not be found in the file.
      db.exec('PRAGMA secure_delete = ON');
    }
    db.exec('PRAGMA cache_size = -32768');
    prepareSchema(db, file, readOnly);
    if (!readOnly) prepareOrdersByEmail(db);
    if (countsEmails && !readOnly) prepareEmailIndex(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

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
