import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ClientSession,
  type Document,
  type ErrorDescription,
  MongoError,
  MongoErrorLabel,
  MongoServerError,
  type TransactionOptions,
} from 'mongodb';
import type { Order } from '../../../domain/order.ts';
import {
  type Change,
  CommitUnknownError,
  type Fence,
  FencedError,
  StoreUnavailableError,
} from '../../../ports/store.ts';
import type { Connection } from './connection.ts';
import { orderDocument, orderUpdate, packageUpdate } from './documents.ts';
import { isDuplicate, isUnavailable, unavailable } from './errors.ts';
import type { PackageSession } from './package-session.ts';

const retryPauseMs = 50;

/**
 * Applies a change in one transaction: the package on condition of its fence, then the orders, then the commit.
 * The package is always updated, never only read: two transactions that both did so could both commit.
 * @throws Error as Store.commit says.
 */
export async function commitChange(
  connection: Connection,
  session: PackageSession,
  packageId: number,
  fence: Fence,
  change: Change,
): Promise<void> {
  refuseForeign(packageId, change);
  const attempt = new Attempt(connection, packageId, fence, change);
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
  readonly #packageId: number;
  readonly #fence: Fence;
  readonly #change: Change;
  #isCommitting = false;
  #isGivenUp = false;

  constructor(connection: Connection, packageId: number, fence: Fence, change: Change) {
    this.#connection = connection;
    this.#packageId = packageId;
    this.#fence = fence;
    this.#change = change;
  }

  async run(session: ClientSession): Promise<void> {
    this.#refuseGivenUp();
    session.startTransaction(transactionOptions(this.#connection.timeoutMs));
    try {
      await this.#write(session);
      this.#refuseGivenUp();
    } catch (error) {
      // Fails without a word where the server is away: then the session's next transaction ends this one.
      await session.abortTransaction();
      throw notApplied(error);
    }
    this.#isCommitting = true;
    await this.#commit(session);
    this.#connection.wrote(session);
  }

  /** Called when the time is up. What was not sent by now will never be. */
  giveUp(): Error {
    this.#isGivenUp = true;
    return this.#isCommitting
      ? new CommitUnknownError('MongoDB did not say in time whether the change was applied')
      : new StoreUnavailableError('MongoDB does not answer in time');
  }

  async #write(session: ClientSession): Promise<void> {
    const { packages } = this.#connection.collections;
    const { figures, package: replacement, inserted, updated } = this.#change;
    const { epoch, seq } = this.#fence;
    const fenced = { _id: this.#packageId, epoch, seq };
    const { matchedCount } = await packages.updateOne(fenced, packageUpdate(figures, replacement), {
      session,
    });
    if (matchedCount !== 1) {
      throw new FencedError(`package ${this.#packageId} is no longer at epoch ${epoch}, seq ${seq}`);
    }
    const { db, orders } = this.#connection.collections;
    if (inserted.length > 0) {
      const documents = inserted.map(orderDocument);
      await written(db.command({ insert: orders.collectionName, documents }, { session }));
    }
    if (updated.length === 0) return;
    const updates = updated.map(updateOf);
    const found = await written(db.command({ update: orders.collectionName, updates }, { session }));
    if (found !== updated.length) {
      throw new Error(`${updated.length - found} orders to update are not there as they should be`);
    }
  }

  /** Asking again is harmless: the server remembers whether a session's transaction was committed. */
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

function transactionOptions(timeoutMs: number): TransactionOptions {
  return {
    readConcern: { level: 'snapshot' },
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: timeoutMs },
    maxCommitTimeMS: timeoutMs,
  };
}

/** By its id alone: the server finds that without planning, and what else would name it is for life. */
function updateOf(order: Order) {
  return { q: { _id: order.id }, u: orderUpdate(order) };
}

/**
 * How many documents a write command has inserted or found. The commands are sent as they are, because the driver's
 * bulk writes measure every document before they write it, which costs as much again.
 * @throws MongoServerError for the first document that was refused.
 */
async function written(command: Promise<Document>): Promise<number> {
  const { n, writeErrors } = await command;
  const [refused] = (writeErrors ?? []) as ErrorDescription[];
  if (refused !== undefined) throw new MongoServerError(refused);
  return n as number;
}

function notApplied(error: unknown): unknown {
  if (error instanceof FencedError) return error;
  if (isUnavailable(error)) return unavailable(error);
  // The driver's error holds whole orders, and the server's words the key: neither belongs into a log.
  if (isDuplicate(error)) {
    const index = /index: (\w+)/.exec(error.message)?.[1] ?? 'unknown';
    return new Error(`an order's id, number or key is taken (index ${index})`);
  }
  return error instanceof MongoError ? new Error(`MongoDB refuses the change: ${error.message}`) : error;
}

function has(error: unknown, label: string): boolean {
  return error instanceof MongoError && error.hasErrorLabel(label);
}

function refuseForeign(packageId: number, { package: replacement, inserted, updated }: Change): void {
  if (replacement && replacement.id !== packageId) {
    throw new Error(`package ${replacement.id} cannot replace package ${packageId}`);
  }
  for (const order of [...inserted, ...updated]) {
    if (order.packageId !== packageId) {
      throw new Error(`order ${order.id} is of package ${order.packageId}, not ${packageId}`);
    }
  }
}
