import type { DatabaseSync } from 'node:sqlite';
import type { Change, Fence, Ownership } from '../../domain/messages.ts';
import type { Order } from '../../domain/order.ts';
import { fullInventory, type TravelPackage } from '../../domain/travel-package.ts';
import { firstSeq } from '../cursors.ts';
import { FencedError } from '../store.ts';
import { documentVersion, inventoryColumns, inventoryValues } from './rows.ts';

const columns = inventoryColumns.join(', ');
const marks = inventoryColumns.map(() => '?').join(', ');
const assignments = inventoryColumns.map((column) => `${column} = ?`).join(', ');

/** The statements that change the store. Each method is synchronous and runs inside a savepoint. */
export class Writes {
  readonly #addPackage;
  readonly #owner;
  readonly #raiseEpoch;
  readonly #fencedUpdate;
  readonly #updatePackage;
  readonly #insertOrder;
  readonly #updateOrder;
  readonly #eraseOrder;
  readonly #addSetting;
  readonly #setting;
  readonly #settingsFrom;
  readonly #swapSetting;
  readonly #removeSetting;
  readonly #removePackage;
  readonly #probe;
  readonly #clear;

  constructor(db: DatabaseSync) {
    this.#addPackage = db.prepare(
      `INSERT INTO packages (id, document, document_version, seq, ${columns}) VALUES (?, ?, ?, ?, ${marks})
        ON CONFLICT (id) DO NOTHING`,
    );
    this.#owner = db.prepare('SELECT owner FROM packages WHERE id = ?');
    this.#raiseEpoch = db.prepare(
      'UPDATE packages SET epoch = epoch + 1, owner = ? WHERE id = ? RETURNING epoch, seq',
    );
    this.#fencedUpdate = db.prepare(
      `UPDATE packages SET seq = seq + 1, ${assignments} WHERE id = ? AND epoch = ? AND seq = ?`,
    );
    this.#updatePackage = db.prepare('UPDATE packages SET document = ?, document_version = ? WHERE id = ?');
    this.#insertOrder = db.prepare(
      `INSERT INTO orders (id, package_id, number, email, key, status, document, document_version)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    // An order never changes its package, number and key, so the update leaves their indexes alone. Only an erasure
    // changes its email.
    this.#updateOrder = db.prepare(
      `UPDATE orders SET status = ?, document = ?, document_version = ?
        WHERE id = ? AND package_id = ? AND number = ? AND key IS ?`,
    );
    this.#eraseOrder = db.prepare(
      `UPDATE orders SET email = ?, key = ?, document = ?, document_version = ?
        WHERE id = ? AND package_id = ? AND number = ? AND status = ?`,
    );
    this.#removePackage = db.prepare(
      'DELETE FROM packages WHERE id = ? AND epoch = ? AND seq = ? AND next_number = 1',
    );
    this.#addSetting = db.prepare(
      'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING',
    );
    this.#setting = db.prepare('SELECT value FROM settings WHERE name = ?');
    this.#settingsFrom = db.prepare('SELECT name, value FROM settings WHERE name >= ? ORDER BY name');
    this.#swapSetting = db.prepare('UPDATE settings SET value = ? WHERE name = ? AND value = ?');
    this.#removeSetting = db.prepare('DELETE FROM settings WHERE name = ? AND value = ?');
    this.#probe = db.prepare(
      `INSERT INTO settings (name, value) VALUES ('probe', strftime('%FT%R:%fZ', 'now'))
        ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    );
    this.#clear = ['orders', 'packages', 'reservations'].map((table) => db.prepare(`DELETE FROM ${table}`));
  }

  /** Returns whether it was added. */
  addPackage(added: TravelPackage): boolean {
    const inventory = inventoryValues(fullInventory(added.quota));
    const values = [added.id, JSON.stringify(added), documentVersion, firstSeq(), ...inventory];
    return this.#addPackage.run(...values).changes === 1;
  }

  raiseEpoch(packageId: number, owner: string): Pick<Ownership, 'fence' | 'former'> | undefined {
    const former = this.#owner.get(packageId)?.owner;
    const row = this.#raiseEpoch.get(owner, packageId);
    if (row === undefined) return undefined;
    const fence = { epoch: Number(row.epoch), seq: Number(row.seq) };
    return typeof former === 'string' ? { fence, former } : { fence };
  }

  /** @throws FencedError; Error if the change contradicts the stored orders. */
  commit(packageId: number, { epoch, seq }: Fence, change: Change): void {
    const inventory = inventoryValues(change.inventory);
    if (this.#fencedUpdate.run(...inventory, packageId, epoch, seq).changes !== 1) {
      throw new FencedError(`package ${packageId} is no longer at epoch ${epoch}, seq ${seq}`);
    }
    if (change.package) this.#replacePackage(packageId, change.package);
    for (const order of change.inserted) this.#insert(packageId, order);
    // Before the updates: one commit may both end an order and erase its email.
    for (const order of change.erased ?? []) this.#erase(packageId, order);
    for (const order of change.updated) this.#update(packageId, order);
  }

  /** @throws FencedError; Error if the package has orders. */
  removePackage(packageId: number, { epoch, seq }: Fence): void {
    if (this.#removePackage.run(packageId, epoch, seq).changes !== 1) {
      throw new FencedError(
        `package ${packageId} is not there at epoch ${epoch}, seq ${seq}, without an order`,
      );
    }
  }

  setting(name: string): string | undefined {
    const row = this.#setting.get(name);
    return row && String(row.value);
  }

  addSetting(name: string, value: string): string {
    this.#addSetting.run(name, value);
    return this.setting(name) ?? value;
  }

  settingsNamed(prefix: string): Map<string, string> {
    const found = new Map<string, string>();
    for (const { name, value } of this.#settingsFrom.iterate(prefix)) {
      if (!String(name).startsWith(prefix)) break;
      found.set(String(name), String(value));
    }
    return found;
  }

  /** Returns false if the value was no longer `before`. */
  swapSetting(name: string, before: string | undefined, after: string | undefined): boolean {
    if (before === undefined) {
      if (after === undefined) return this.setting(name) === undefined;
      return this.#addSetting.run(name, after).changes === 1;
    }
    const swapped =
      after === undefined
        ? this.#removeSetting.run(name, before)
        : this.#swapSetting.run(after, name, before);
    return swapped.changes === 1;
  }

  /** Stores the time. */
  probe(): void {
    this.#probe.run();
  }

  clear(): void {
    for (const statement of this.#clear) statement.run();
  }

  #replacePackage(packageId: number, replacement: TravelPackage): void {
    if (replacement.id !== packageId) {
      throw new Error(`package ${replacement.id} cannot replace package ${packageId}`);
    }
    this.#updatePackage.run(JSON.stringify(replacement), documentVersion, packageId);
  }

  #insert(packageId: number, order: Order): void {
    ownedBy(packageId, order);
    const { id, number, email, key = null, status } = order;
    const document = JSON.stringify(order);
    this.#insertOrder.run(id, packageId, number, email, key, status, document, documentVersion);
  }

  #update(packageId: number, order: Order): void {
    ownedBy(packageId, order);
    const { id, number, key = null, status } = order;
    const document = JSON.stringify(order);
    const found = this.#updateOrder.run(status, document, documentVersion, id, packageId, number, key);
    if (found.changes !== 1) throw new Error(`there is no order ${id} with this number and key to update`);
  }

  #erase(packageId: number, order: Order): void {
    ownedBy(packageId, order);
    const { id, number, email, key = null, status } = order;
    const values = [email, key, JSON.stringify(order), documentVersion];
    const found = this.#eraseOrder.run(...values, id, packageId, number, status);
    if (found.changes !== 1) throw new Error(`there is no order ${id} with this number and status to erase`);
  }
}

function ownedBy(packageId: number, order: Order): void {
  if (order.packageId !== packageId) {
    throw new Error(`order ${order.id} is of package ${order.packageId}, not ${packageId}`);
  }
}
