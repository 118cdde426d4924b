import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AnyBulkWriteOperation,
  type ClientSession,
  MongoError,
  MongoErrorLabel,
  type TransactionOptions,
} from 'mongodb';
import type { Change, Fence } from '../../domain/messages.ts';
import type { Notice, NoticeChannel } from '../../domain/notices.ts';
import type { Order } from '../../domain/order.ts';
import { CommitUnknownError, FencedError, StoreUnavailableError } from '../store.ts';
import { refuseForeign } from '../store-helpers.ts';
import type { CommitSession } from './commit-session.ts';
import type { Connection } from './connection.ts';
import { type OrderDocument, orderDocument, orderErasure, orderUpdate, packageUpdate } from './documents.ts';
import { isDuplicate, isUnavailable, unavailable } from './errors.ts';

const retryPauseMs = 50;

/** The change was not applied before the timeout, and will not be applied later. */
export class GivenUpError extends StoreUnavailableError {}

/** A package's change, with the fence that the package must have. */
export interface Part {
  readonly packageId: number;
  readonly fence: Fence;
  readonly change: Change;
}

/**
 * Applies changes of one or several packages in one transaction. The transaction updates the packages with the expected
 * fences, then writes the orders. Each package is updated and not only read, because two transactions that only read
 * could both commit.
 * @throws Error as Store.commit. For several packages the error does not say which package is the cause.
 */
export async function commitParts(
  connection: Connection,
  session: CommitSession,
  parts: readonly Part[],
): Promise<void> {
  for (const { packageId, change } of parts) refuseForeign(packageId, change);
  const attempt = new Attempt(connection, parts);
  await connection.bounded(
    session.turn((own) => attempt.run(own)),
    () => attempt.giveUp(),
  );
}

/**
 * ```
 * writing ──► committing ──► applied
 *    │             └───► unknown
 *    └──► not applied: fenced | unavailable | refused
 * ```
 */
class Attempt {
  readonly #connection: Connection;
  readonly #parts: readonly Part[];
  #isCommitting = false;
  #isGivenUp = false;

  constructor(connection: Connection, parts: readonly Part[]) {
    this.#connection = connection;
    this.#parts = parts;
  }

  async run(session: ClientSession): Promise<void> {
    this.#refuseGivenUp();
    session.startTransaction(transactionOptions(this.#connection.timeoutMs));
    try {
      await this.#write(session);
      this.#refuseGivenUp();
    } catch (error) {
      // If the server is away, the abort fails silently, and the session's next transaction ends this transaction.
      await session.abortTransaction();
      throw notApplied(error);
    }
    this.#isCommitting = true;
    await this.#commit(session);
    this.#connection.wrote(session);
  }

  /** Called after the timeout. From then on this attempt sends nothing more. */
  giveUp(): Error {
    this.#isGivenUp = true;
    return this.#isCommitting
      ? new CommitUnknownError('MongoDB did not say in time whether the change was applied')
      : new GivenUpError('MongoDB does not answer in time');
  }

  async #write(session: ClientSession): Promise<void> {
    const { packages, orders } = this.#connection.collections;
    const fenced = this.#parts.map(packageUpdateOf);
    const { matchedCount: owned } = await packages.bulkWrite(fenced, { session });
    if (owned !== fenced.length)
      throw new FencedError(`no longer at ${this.#parts.map(fenceInWords).join(' or ')}`);
    const owed = owedBy(this.#parts);
    const updates = this.#parts.flatMap(({ change }) => updatesOf(change, owed, this.#connection.isSharded));
    const { noticeChannels } = this.#connection.indexes;
    const inserted = this.#parts.flatMap(({ change }) => insertionsOf(change, owed, noticeChannels));
    const erased = this.#parts.flatMap(({ change }) => change.erased ?? []);
    const expected = updates.length + erased.length;
    if (inserted.length + expected === 0) return;
    const { matchedCount: found } = await orders.bulkWrite(
      [
        ...inserted,
        // Erasures come before the updates, because one commit may both end an order and erase its email.
        ...erased.map(erasureOf),
        ...updates,
      ],
      { session },
    );
    if (found !== expected) {
      throw new Error(`${expected - found} orders to update are not there as they should be`);
    }
  }

  /**
   * Commits the transaction. Repeating the commit is safe, because the server knows whether a session's transaction was
   * committed.
   */
  async #commit(session: ClientSession): Promise<void> {
    for (;;) {
      try {
        return await session.commitTransaction();
      } catch (error) {
        if (has(error, MongoErrorLabel.TransientTransactionError)) throw unavailable(error);
        const mayPass = isUnavailable(error) || has(error, MongoErrorLabel.UnknownTransactionCommitResult);
        if (!mayPass || this.#isGivenUp || this.#connection.isClosed) {
          throw new CommitUnknownError('MongoDB did not say whether the change was applied', {
            cause: error,
          });
        }
        await sleep(retryPauseMs);
      }
    }
  }

  #refuseGivenUp(): void {
    if (this.#isGivenUp) throw new StoreUnavailableError('MongoDB does not answer in time');
  }
}

export function transactionOptions(timeoutMs: number): TransactionOptions {
  return {
    readConcern: { level: 'snapshot' },
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: timeoutMs },
    maxCommitTimeMS: timeoutMs,
  };
}

function packageUpdateOf({ packageId, fence: { epoch, seq }, change }: Part) {
  const update = packageUpdate(change);
  return { updateOne: { filter: { _id: packageId, epoch, seq }, update } };
}

function fenceInWords({ packageId, fence: { epoch, seq } }: Part): string {
  return `package ${packageId}, epoch ${epoch}, seq ${seq}`;
}

/** Notices by the id of their order. */
type Owed = ReadonlyMap<string, readonly Notice[]>;

function insertionsOf(
  { inserted, inventory }: Change,
  owed: Owed,
  channels: readonly NoticeChannel[],
): AnyBulkWriteOperation<OrderDocument>[] {
  return inserted.map((order) => ({
    insertOne: { document: orderDocument(order, inventory, owed.get(order.id), channels) },
  }));
}

/**
 * Finds an order by its id alone, which needs no query plan. An order's package, number and key never change, so the
 * id is enough. A sharded collection needs the shard key too.
 */
function updatesOf(
  { updated }: Change,
  owed: Owed,
  isSharded: boolean,
): AnyBulkWriteOperation<OrderDocument>[] {
  return updated.map((order) => {
    const { id, packageId } = order;
    const filter = isSharded ? { _id: id, packageId } : { _id: id };
    return { updateOne: { filter, update: orderUpdate(order, owed.get(id)) } };
  });
}

/** The notices of all parts. */
function owedBy(parts: readonly Part[]): Owed {
  const notices = parts.flatMap(({ change }) => change.notices ?? []);
  return Map.groupBy(notices, ({ orderId }) => orderId);
}

/** Erases only an ended order, because an unfinished order needs its email. */
function erasureOf(order: Order): AnyBulkWriteOperation<OrderDocument> {
  const { id, packageId, number, status } = order;
  return { updateOne: { filter: { _id: id, packageId, number, status }, update: orderErasure(order) } };
}

function notApplied(error: unknown): unknown {
  if (error instanceof FencedError) return error;
  if (isUnavailable(error)) return unavailable(error);
  // The driver's error contains whole orders, and the server's message contains the key. Neither may be logged.
  if (isDuplicate(error)) {
    const index = /index: (\w+)/.exec(error.message)?.[1] ?? 'unknown';
    return new Error(`an order's id, number or key is taken (index ${index})`);
  }
  return error instanceof MongoError ? new Error(`MongoDB refuses the change: ${error.message}`) : error;
}

function has(error: unknown, label: string): boolean {
  return error instanceof MongoError && error.hasErrorLabel(label);
}
