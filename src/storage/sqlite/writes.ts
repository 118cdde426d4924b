import type { DatabaseSync } from 'node:sqlite';
import type { Change, Fence, Ownership } from '../../domain/messages.ts';
import type { Order } from '../../domain/order.ts';
import { fullInventory, type TravelPackage } from '../../domain/travel-package.ts';
import { defined } from '../../lib/defined.ts';
import { FencedError } from '../store.ts';
import { firstSeq, notRemovable, refuseForeign } from '../store-helpers.ts';
import type { SqliteOutbox } from './outbox.ts';
import type { Reads } from './reads.ts';
import { documentVersion, inventoryColumns, inventoryValues } from './rows.ts';

const columns = inventoryColumns.join(', ');
const marks = inventoryColumns.map(() => '?').join(', ');
const assignments = inventoryColumns.map((column) => `${column} = ?`).join(', ');

/** The statements of the writes. */
function prepare(db: DatabaseSync) {
  return {
    addPackage: db.prepare(
      `INSERT INTO packages (id, document, document_version, seq, ${columns}) VALUES (?, ?, ?, ?, ${marks})
        ON CONFLICT (id) DO NOTHING`,
    ),
    raiseEpoch: db.prepare(
      'UPDATE packages SET epoch = epoch + 1, owner = ? WHERE id = ? RETURNING epoch, seq',
    ),
    fencedUpdate: db.prepare(
      `UPDATE packages SET seq = seq + 1, ${assignments} WHERE id = ? AND epoch = ? AND seq = ?`,
    ),
    updatePackage: db.prepare('UPDATE packages SET document = ?, document_version = ? WHERE id = ?'),
    insertOrder: db.prepare(
      `INSERT INTO orders (id, package_id, number, email, key, status, document, document_version)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    // An order never changes its package, number and key, so the update leaves their indexes alone. Only an erasure
    // changes its email.
    updateOrder: db.prepare(
      `UPDATE orders SET status = ?, document = ?, document_version = ?
        WHERE id = ? AND package_id = ? AND number = ? AND key IS ?`,
    ),
    eraseOrder: db.prepare(
      `UPDATE orders SET email = ?, key = ?, document = ?, document_version = ?
        WHERE id = ? AND package_id = ? AND number = ? AND status = ?`,
    ),
    removePackage: db.prepare(
      'DELETE FROM packages WHERE id = ? AND epoch = ? AND seq = ? AND next_number = 1',
    ),
    addSetting: db.prepare('INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING'),
    swapSetting: db.prepare('UPDATE settings SET value = ? WHERE name = ? AND value = ?'),
    removeSetting: db.prepare('DELETE FROM settings WHERE name = ? AND value = ?'),
    probe: db.prepare(
      `INSERT INTO settings (name, value) VALUES ('probe', strftime('%FT%R:%fZ', 'now'))
        ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    ),
    clear: [
      ...['orders', 'packages', 'reservations', 'archived_packages', 'archived_orders'],
      ...['notices', 'dead_letters'],
    ].map((table) => `DELETE FROM ${table}`),
  };
}

/**
 * All changes of the store except the operator log. Each method is synchronous, and runs in a {@link GroupCommit}, which
 * undoes it if it throws.
 */
export class Writes {
  readonly #db: DatabaseSync;
  readonly #sql: ReturnType<typeof prepare>;
  readonly #reads: Reads;
  readonly #outbox: SqliteOutbox;

  constructor(db: DatabaseSync, reads: Reads, outbox: SqliteOutbox) {
    this.#db = db;
    this.#sql = prepare(db);
    this.#reads = reads;
    this.#outbox = outbox;
  }

  /** Adds a package. Returns false if it exists already. */
  addPackage(added: TravelPackage): boolean {
    const inventory = inventoryValues(fullInventory(added.quota));
    const values = [added.id, JSON.stringify(added), documentVersion, firstSeq(), ...inventory];
    return this.#sql.addPackage.run(...values).changes === 1;
  }

  /**
   * Raises the epoch of a package, and returns the package with its new fence and its former owner.
   * @throws UnreadableError if the package cannot be read: its epoch stays.
   */
  raiseEpoch(packageId: number, instance: string): Omit<Ownership, 'unfinished'> | undefined {
    const former = this.#reads.owner(packageId);
    const snapshot = this.#reads.package(packageId);
    const raised = this.#sql.raiseEpoch.get(instance, packageId);
    if (raised === undefined || snapshot === undefined) return undefined;
    const fence = { epoch: Number(raised.epoch), seq: Number(raised.seq) };
    return { ...snapshot, fence, ...defined({ former }) };
  }

  /** @throws FencedError; Error if the change contradicts the stored orders. */
  commit(packageId: number, { epoch, seq }: Fence, change: Change): void {
    refuseForeign(packageId, change);
    const inventory = inventoryValues(change.inventory);
    if (this.#sql.fencedUpdate.run(...inventory, packageId, epoch, seq).changes !== 1) {
      throw new FencedError(`package ${packageId} is no longer at epoch ${epoch}, seq ${seq}`);
    }
    if (change.package) {
      this.#sql.updatePackage.run(JSON.stringify(change.package), documentVersion, packageId);
    }
    for (const order of change.inserted) this.#insert(order);
    // Erasures come before the updates, because one commit may both end an order and erase its email.
    for (const order of change.erased ?? []) this.#erase(order);
    for (const order of change.updated) this.#update(order);
    if (change.notices !== undefined) this.#outbox.add(packageId, change.notices);
  }

  /** @throws FencedError; Error if the package has orders. */
  removePackage(packageId: number, fence: Fence): void {
    if (this.#sql.removePackage.run(packageId, fence.epoch, fence.seq).changes !== 1) {
      throw notRemovable(packageId, fence);
    }
  }

  addSetting(name: string, value: string): string {
    this.#sql.addSetting.run(name, value);
    return this.#reads.setting(name) ?? value;
  }

  /** Replaces the value. Returns false if the value was no longer `before`. */
  swapSetting(name: string, before: string | undefined, after: string | undefined): boolean {
    if (before === undefined) {
      if (after === undefined) return this.#reads.setting(name) === undefined;
      return this.#sql.addSetting.run(name, after).changes === 1;
    }
    const swapped =
      after === undefined
        ? this.#sql.removeSetting.run(name, before)
        : this.#sql.swapSetting.run(after, name, before);
    return swapped.changes === 1;
  }

  /** Stores the current time, to check that writes work. */
  probe(): void {
    this.#sql.probe.run();
  }

  clear(): void {
    for (const statement of this.#sql.clear) this.#db.exec(statement);
  }

  #insert(order: Order): void {
    const { id, packageId, number, email, key = null, status } = order;
    const document = JSON.stringify(order);
    this.#sql.insertOrder.run(id, packageId, number, email, key, status, document, documentVersion);
  }

  #update(order: Order): void {
    const { id, packageId, number, key = null, status } = order;
    const document = JSON.stringify(order);
    const found = this.#sql.updateOrder.run(status, document, documentVersion, id, packageId, number, key);
    if (found.changes !== 1) throw new Error(`there is no order ${id} with this number and key to update`);
  }

  #erase(order: Order): void {
    const { id, packageId, number, email, key = null, status } = order;
    const values = [email, key, JSON.stringify(order), documentVersion];
    const found = this.#sql.eraseOrder.run(...values, id, packageId, number, status);
    if (found.changes !== 1) throw new Error(`there is no order ${id} with this number and status to erase`);
  }
}
