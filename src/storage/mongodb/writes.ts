import type { ClientSession } from 'mongodb';
import type { Fence } from '../../domain/messages.ts';
import type { TravelPackage } from '../../domain/travel-package.ts';
import { defined } from '../../lib/defined.ts';
import type { OperatorEvent, OperatorEventEnd } from '../operator-log.ts';
import { notRemovable } from '../store-helpers.ts';
import type { Collections } from './collections.ts';
import { documentVersion, packageDocument, packageVersion, refuseNewer } from './documents.ts';
import { isDuplicate, takenIn, upsert } from './errors.ts';

/** All writes except commits. Each write may be repeated. The methods throw the driver's errors. */
export class Writes {
  readonly #collections: Collections;
  readonly #session: ClientSession;

  constructor(collections: Collections, session: ClientSession) {
    this.#collections = collections;
    this.#session = session;
  }

  /** Adds packages. Returns the ids of the packages that did not exist yet. */
  async addPackages(packages: readonly TravelPackage[]): Promise<number[]> {
    if (packages.length === 0) return [];
    const ids = packages.map(({ id }) => id);
    try {
      await this.#collections.packages.insertMany(packages.map(packageDocument), {
        session: this.#session,
        ordered: false,
      });
      return ids;
    } catch (error) {
      const there = new Set(takenIn(error));
      return ids.filter((_, index) => !there.has(index));
    }
  }

  /**
   * Deletes the package document if it still has this fence and no order. If a purchase's transaction has changed the
   * document, the delete waits for it and then does not match. A later purchase finds no document to update. If the driver
   * retries the delete, the server applies it once.
   * @throws FencedError if the package has another fence, has orders, or does not exist.
   */
  async removePackage(packageId: number, fence: Fence): Promise<void> {
    const { packages, orders } = this.#collections;
    const { epoch, seq } = fence;
    if ((await orders.findOne({ packageId }, { session: this.#session, projection: { _id: 1 } })) !== null) {
      throw notRemovable(packageId, fence);
    }
    const { deletedCount } = await packages.deleteOne(
      { _id: packageId, v: { $lte: packageVersion }, epoch, seq, 'figures.nextNumber': 1 },
      { session: this.#session },
    );
    if (deletedCount !== 1) throw notRemovable(packageId, fence);
  }

  /** Stores the value unless the setting has one. Returns the stored value. */
  async addSetting(name: string, value: string): Promise<string> {
    const { settings } = this.#collections;
    const kept = await upsert(() =>
      settings.findOneAndUpdate(
        { _id: name },
        { $setOnInsert: { v: documentVersion, value } },
        { upsert: true, returnDocument: 'after', session: this.#session },
      ),
    );
    if (kept) refuseNewer(kept);
    return kept?.value ?? value;
  }

  /** Replaces the value. Returns false, and changes nothing, if the value is no longer `before`. */
  async swapSetting(name: string, before: string | undefined, after: string | undefined): Promise<boolean> {
    const { settings } = this.#collections;
    const session = this.#session;
    if (before === undefined) {
      if (after === undefined) return (await settings.findOne({ _id: name }, { session })) === null;
      try {
        await settings.insertOne({ _id: name, v: documentVersion, value: after }, { session });
        return true;
      } catch (error) {
        if (isDuplicate(error)) return false;
        throw error;
      }
    }
    const asRead = { _id: name, value: before };
    if (after === undefined) return (await settings.deleteOne(asRead, { session })).deletedCount === 1;
    const $set = { v: documentVersion, value: after };
    return (await settings.updateOne(asRead, { $set }, { session })).matchedCount === 1;
  }

  async appendOperatorEvent({ id, ...event }: OperatorEvent): Promise<void> {
    const { operatorEvents } = this.#collections;
    try {
      await operatorEvents.insertOne({ _id: id, v: documentVersion, ...event }, { session: this.#session });
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
  }

  async endOperatorEvent(id: string, { outcome, after, code, endedAt }: OperatorEventEnd): Promise<void> {
    await this.#collections.operatorEvents.updateOne(
      { _id: id, outcome: 'open' },
      { $set: defined({ outcome, endedAt, after, code }) },
      { session: this.#session },
    );
  }

  /** Stores the current time, to check that writes work. */
  async probe(): Promise<void> {
    const { settings } = this.#collections;
    await upsert(() =>
      settings.updateOne(
        { _id: 'probe' },
        { $set: { v: documentVersion, value: new Date().toISOString() } },
        { upsert: true, session: this.#session },
      ),
    );
  }

  /**
   * Deletes orders first. If the deletion fails halfway, an audit notices packages without orders, but would not notice
   * orders without packages.
   */
  async clear(): Promise<void> {
    const { orders, ledgers, packages, deadLetters, archivedPackages, archivedOrders } = this.#collections;
    const others = [...Object.values(ledgers), deadLetters, archivedPackages, archivedOrders, packages];
    for (const collection of [orders, ...others]) {
      await collection.drop({ session: this.#session });
    }
  }
}
