import type { ClientSession } from 'mongodb';
import type { Fence } from '../../domain/messages.ts';
import type { TravelPackage } from '../../domain/travel-package.ts';
import type { OperatorEvent, OperatorEventEnd } from '../operator-log.ts';
import { FencedError } from '../store.ts';
import type { Collections } from './collections.ts';
import { documentVersion, packageDocument, refuseNewer } from './documents.ts';
import { isDuplicate, takenIn } from './errors.ts';

/** The writes that are no commit: each of them does no harm when it is repeated. They throw what the driver throws. */
export class Writes {
  readonly #collections: Collections;
  readonly #session: ClientSession;

  constructor(collections: Collections, session: ClientSession) {
    this.#collections = collections;
    this.#session = session;
  }

  /** Returns the ids of those that were not there yet. */
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
   * Deletes the package document if it still has this fence and no order. The delete waits for a purchase's transaction
   * that has changed the document, and then does not match; a later purchase finds no document to update. When the
   * driver retries the delete, the server applies it once.
   * @throws FencedError unless it was there with this fence, and without an order.
   */
  async removePackage(packageId: number, { epoch, seq }: Fence): Promise<void> {
    const { packages, orders } = this.#collections;
    const where = `package ${packageId} is not there at epoch ${epoch}, seq ${seq}, without an order`;
    if ((await orders.findOne({ packageId }, { session: this.#session, projection: { _id: 1 } })) !== null) {
      throw new FencedError(where);
    }
    const { deletedCount } = await packages.deleteOne(
      { _id: packageId, v: { $lte: documentVersion }, epoch, seq, 'figures.nextNumber': 1 },
      { session: this.#session },
    );
    if (deletedCount !== 1) throw new FencedError(where);
  }

  /** Returns the value that is kept now. */
  async addSetting(name: string, value: string): Promise<string> {
    const { settings } = this.#collections;
    const add = () =>
      settings.findOneAndUpdate(
        { _id: name },
        { $setOnInsert: { v: documentVersion, value } },
        { upsert: true, returnDocument: 'after', session: this.#session },
      );
    const kept = await add().catch((error: unknown) => {
      // Two upserts of one name at once: the one that lost finds the other's document now.
      if (isDuplicate(error)) return add();
      throw error;
    });
    if (kept) refuseNewer(kept);
    return kept?.value ?? value;
  }

  /** @returns false when the value is no longer `before`: then nothing was changed. */
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
      {
        $set: {
          ...{ outcome, endedAt },
          ...(after === undefined ? {} : { after }),
          ...(code === undefined ? {} : { code }),
        },
      },
      { session: this.#session },
    );
  }

  /** Leaves the time of the last one. */
  async probe(): Promise<void> {
    const { settings } = this.#collections;
    const leave = () =>
      settings.updateOne(
        { _id: 'probe' },
        { $set: { v: documentVersion, value: new Date().toISOString() } },
        { upsert: true, session: this.#session },
      );
    await leave().catch((error: unknown) => {
      // Two first ones at once.
      if (!isDuplicate(error)) throw error;
      return leave();
    });
  }

  /** Orders go first: packages that are there without their orders are noticed, the other way round they are not. */
  async clear(): Promise<void> {
    const { orders, ledgers, packages } = this.#collections;
    for (const collection of [orders, ledgers.flights, ledgers.hotels, packages]) {
      await collection.drop({ session: this.#session });
    }
  }
}
