import type { DatabaseSync } from 'node:sqlite';

/** The version of the tables, incremented with every change of them. */
export const schemaVersion = 5;

/** SQLite uses a partial index only for queries that repeat its condition literally. */
export const unfinishedCondition = "status IN ('queued', 'held', 'payable', 'compensating', 'cancelling')";
export const liveCondition =
  "status IN ('queued', 'held', 'payable', 'compensating', 'confirmed', 'cancelling')";

/**
 * `document` is the whole package or order as JSON, in the version that `document_version` names. The other columns are
 * for queries. No statement of a purchase reads more rows than it needs.
 */
const tables = `
  CREATE TABLE packages (
    id INTEGER PRIMARY KEY,
    document TEXT NOT NULL,
    document_version INTEGER NOT NULL,
    remaining INTEGER NOT NULL,
    held INTEGER NOT NULL,
    confirmed INTEGER NOT NULL,
    cancelling INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    next_number INTEGER NOT NULL,
    epoch INTEGER NOT NULL DEFAULT 0,
    seq INTEGER NOT NULL DEFAULT 0,
    owner TEXT
  ) STRICT;

  CREATE TABLE orders (
    row INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    package_id INTEGER NOT NULL REFERENCES packages (id),
    number INTEGER NOT NULL,
    email TEXT NOT NULL,
    key TEXT,
    status TEXT NOT NULL,
    document TEXT NOT NULL,
    document_version INTEGER NOT NULL,
    UNIQUE (package_id, number)
  ) STRICT;
  CREATE UNIQUE INDEX orders_by_key ON orders (package_id, key) WHERE key IS NOT NULL;
  CREATE INDEX orders_unfinished ON orders (package_id, number) WHERE ${unfinishedCondition};

  CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE reservations (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    number TEXT NOT NULL,
    status TEXT NOT NULL,
    subject TEXT NOT NULL,
    package_id INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX reservations_by_number ON reservations (kind, number) WHERE number <> '';
`;

/** The tables of the operator log, since version 2. An event is inserted open, and replaced once when it ends. */
const operatorTables = `
  CREATE TABLE operator_events (
    row INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    is_open INTEGER NOT NULL,
    document TEXT NOT NULL,
    document_version INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX operator_events_by_time ON operator_events (at, id);
`;

/**
 * What archiving needs, since version 3: how many orders of a package were archived, the ids of archived orders that
 * were confirmed, and the time of each entry in the ledger.
 */
const archiveTables = `
  CREATE TABLE archived_packages (
    package_id INTEGER PRIMARY KEY,
    orders INTEGER NOT NULL,
    confirmed INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE archived_orders (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  ALTER TABLE reservations ADD COLUMN at INTEGER;
`;

/** Since version 4 the partial indexes contain payable orders. The second one is made again if it is needed. */
const payableIndexes = `
  DROP INDEX orders_unfinished;
  CREATE INDEX orders_unfinished ON orders (package_id, number) WHERE ${unfinishedCondition};
  DROP INDEX IF EXISTS orders_live_by_email;
`;

/**
 * The notices that orders owe, and those that were given up, since version 5. A table without a row id is one tree, so a
 * notice costs a commit one entry.
 */
const noticeTables = `
  CREATE TABLE notices (
    channel TEXT NOT NULL,
    package_id INTEGER NOT NULL,
    order_id TEXT NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (channel, package_id, order_id, event)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE dead_letters (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    channel TEXT NOT NULL,
    package_id INTEGER NOT NULL,
    order_id TEXT NOT NULL,
    event TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    reason TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX dead_letters_by_time ON dead_letters (at, id);
`;

/** What each version added. */
const additions = [tables, operatorTables, archiveTables, payableIndexes, noticeTables];

/**
 * The index for a limit per email. It is made only if there is such a limit, because every order pays for each index,
 * and the writes to this index spread over many pages.
 */
const emailIndex = `
  CREATE INDEX IF NOT EXISTS orders_live_by_email ON orders (package_id, email) WHERE ${liveCondition}
`;

/** In the index by email, a slice has this many orders of a package that follow each other. */
export const ordersPerSlice = 512;

/**
 * The index for operators who search by email. Emails come in no order, so an index that began with them would write
 * another page for nearly every order. This one writes to the few pages of the newest slice, and a search looks into
 * each slice. Opening a file of an older release adds the index, which takes about 1 s per million orders.
 */
const ordersByEmailIndex = `
  CREATE INDEX IF NOT EXISTS orders_by_slice_and_email ON orders (package_id, number / ${ordersPerSlice}, email);
  DROP INDEX IF EXISTS orders_by_email;
`;

/** Makes the missing indexes that are not part of the schema. */
export function prepareIndexes(db: DatabaseSync, countsEmails: boolean): void {
  db.exec(ordersByEmailIndex);
  if (countsEmails) db.exec(emailIndex);
}

/**
 * Makes the tables in an empty database, and adds the tables that an older release did not have. With `read` it changes
 * nothing, and with `check` the tables have to be those of this release.
 * @throws Error if the database belongs to another program or a newer release.
 */
export function prepareSchema(db: DatabaseSync, file: string, how: 'make' | 'read' | 'check'): void {
  const found = versionOf(db);
  if (found === schemaVersion) return;
  if (found > schemaVersion) {
    throw new Error(
      `${file} was written by a newer release (schema ${found}, this one knows up to ${schemaVersion}): run that release`,
    );
  }
  if (found === 0) {
    if (db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined) {
      throw new Error(`${file} is the database of another program`);
    }
    if (how !== 'make') throw new Error(`${file} is empty: start the server or run db:init first`);
  }
  if (how === 'read') return;
  if (how === 'check')
    throw new Error(`${file} was written by an older release: start the server of this one first`);
  const missing = additions.slice(found).join(' ');
  db.exec(`BEGIN IMMEDIATE; ${missing} PRAGMA user_version = ${schemaVersion}; COMMIT`);
}

/** Whether the database has a table. A file of an older release that is only read lacks some. */
export function hasTable(db: DatabaseSync, name: string): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== undefined;
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version);
}
