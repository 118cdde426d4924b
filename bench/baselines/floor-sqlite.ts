/** The floor on SQLite: a write-ahead log with `synchronous=FULL`, as in the product. `DATABASE_URL` names the file. */
import { DatabaseSync } from 'node:sqlite';
import { type FloorStore, runFloor } from './floor.ts';
import type { BaselineOrder } from './order-route.ts';

await runFloor(async () => {
  const { DATABASE_URL = 'sqlite::memory:' } = process.env;
  return openStore(new DatabaseSync(DATABASE_URL.replace(/^sqlite:/, '')));
});

function openStore(db: DatabaseSync): FloorStore {
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    DROP TABLE IF EXISTS journal; DROP TABLE IF EXISTS ledger; DROP TABLE IF EXISTS orders;
    CREATE TABLE journal (slot INTEGER PRIMARY KEY, claims TEXT NOT NULL);
    CREATE TABLE ledger (number TEXT PRIMARY KEY, order_id TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE orders (id TEXT PRIMARY KEY, package_id INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID`);
  const claims = db.prepare('INSERT OR REPLACE INTO journal VALUES (?, ?)');
  const reservations = db.prepare('INSERT INTO ledger VALUES (?, ?)');
  const orders = db.prepare('INSERT INTO orders VALUES (?, ?, ?)');
  const commit = (write: () => void) => {
    db.exec('BEGIN IMMEDIATE');
    write();
    db.exec('COMMIT');
  };
  const numberOf = {
    flight: ({ flight }: BaselineOrder) => flight.ticketNumber,
    hotel: ({ hotel }: BaselineOrder) => hotel.reservationNumber,
  };
  return {
    claim: (slot, batch) => commit(() => claims.run(slot, JSON.stringify(batch))),
    reserve: (supplier, batch) =>
      commit(() => {
        for (const order of batch) reservations.run(numberOf[supplier](order), order.id);
      }),
    confirm: (batch) =>
      commit(() => {
        for (const order of batch) orders.run(order.id, order.packageId, JSON.stringify(order));
      }),
    async stored() {
      const sold = db.prepare('SELECT package_id AS id, count(*) AS orders FROM orders GROUP BY package_id');
      return {
        orders: new Map(sold.all().map((row) => [Number(row.id), Number(row.orders)])),
        reservations: Number(db.prepare('SELECT count(*) AS rows FROM ledger').get()?.rows),
      };
    },
    async [Symbol.asyncDispose]() {
      db.close();
    },
  };
}
