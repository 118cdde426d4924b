import type { ClientSession } from 'mongodb';
import pLimit from 'p-limit';
import type { Ownership } from '../../domain/messages.ts';
import type { Order } from '../../domain/order.ts';
import type { Batcher } from '../../lib/batcher.ts';
import { defined } from '../../lib/defined.ts';
import type { Log } from '../../observability/log.ts';
import { UnreadableError } from '../store.ts';
import { readUnfinished, takeoverPage } from '../store-helpers.ts';
import type { CommitSessions } from './commit-session.ts';
import type { Connection } from './connection.ts';
import { type Claim, claimUpdate, isBlocked, type Raised, raisedFrom, raiseEpoch } from './ownership.ts';
import type { Reads } from './reads.ts';

/** After this time a group gives up, because a transaction locks one of its packages. */
const blockedMs = 500;

/** How many packages are taken over alone at once, each on a connection of its own, of which the client has 100. */
const aloneMax = 32;

/** The package has to be taken over alone. */
class Alone {
  /** The owner before the group, which may have raised the epoch in vain. */
  readonly former: string | undefined;

  constructor(former?: string) {
    this.former = former;
  }
}

/**
 * Takes over packages that are claimed at the same time together. A thousand packages then cost a few round trips and
 * waits for the majority, not three thousand.
 *
 * ```
 * read the packages ─► raise their epochs ─► read their unfinished orders
 *                        └─► locked, or changed since they were read: each is taken over alone
 * ```
 *
 * A raise is conditional on the fence that was read, so what was read is the state at the raise. An epoch that a group has
 * raised in vain does no harm: its package is raised once more.
 */
export class GroupOwnership {
  readonly #connection: Connection;
  readonly #sessions: CommitSessions;
  readonly #readsIn: (session: ClientSession) => Reads;
  readonly #log: Log;
  readonly #raises: Batcher<Claim, Raised | Alone | undefined>;
  readonly #queues: Batcher<Raised, readonly Order[] | Alone>;
  readonly #limitAlone = pLimit(aloneMax);

  constructor(
    connection: Connection,
    sessions: CommitSessions,
    readsIn: (session: ClientSession) => Reads,
    log: Log,
  ) {
    this.#connection = connection;
    this.#sessions = sessions;
    this.#readsIn = readsIn;
    this.#log = log;
    this.#raises = connection.batcher<Claim, Raised | Alone | undefined>((claims) =>
      this.#raiseTogether(claims),
    );
    this.#queues = connection.batcher<Raised, readonly Order[] | Alone>(
      (packages) => this.#readTogether(packages),
      {
        weigh: ({ inventory: { waiting, held, cancelling } }) => 1 + waiting + held + cancelling,
        weightMax: takeoverPage,
      },
    );
  }

  /** @throws Error as Store.takeOwnership says. */
  async take(packageId: number, instance: string): Promise<Ownership | undefined> {
    const claim = { packageId, instance, ...this.#sessions.name(packageId) };
    const together = await this.#raises.add(claim);
    const raised =
      together instanceof Alone
        ? await this.#limitAlone(() => this.#raiseAlone(claim, together.former))
        : together;
    if (raised === undefined) return undefined;
    // Each read begins after the raise is durable, so it sees every commit before it.
    const found = await this.#queues.add(raised);
    const unfinished =
      found instanceof Alone ? await this.#limitAlone(() => this.#readAlone(packageId)) : found;
    return { ...raised, unfinished };
  }

  async #raiseTogether(claims: readonly Claim[]): Promise<(Raised | UnreadableError | Alone | undefined)[]> {
    // A package that is claimed twice is raised twice.
    const byId = new Map(claims.map((claim) => [claim.packageId, claim]));
    if (byId.size === 1) return claims.map(() => new Alone());
    return this.#connection.write(async (session) => {
      await this.#sessions.endWhatWasLeft();
      const found = await this.#readsIn(session).packageDocuments([...byId.keys()]);
      const isRaised = await this.#raise(session, [...byId.values()], found);
      return claims.map((claim) => {
        if (byId.get(claim.packageId) !== claim) return new Alone();
        const read = found.get(claim.packageId);
        if (read === undefined || read instanceof UnreadableError) return read;
        const { snapshot, document } = read;
        return isRaised ? raisedFrom(snapshot, document) : new Alone(document.owner?.instance);
      });
    });
  }

  /** Raises the epochs of those packages that can be read. False unless all of them are as they were read. */
  async #raise(
    session: ClientSession,
    claims: readonly Claim[],
    found: Awaited<ReturnType<Reads['packageDocuments']>>,
  ): Promise<boolean> {
    const raises = claims.flatMap((claim) => {
      const read = found.get(claim.packageId);
      if (read === undefined || read instanceof UnreadableError) return [];
      const { _id, epoch, seq } = read.document;
      return { updateOne: { filter: { _id, epoch, seq }, update: claimUpdate(claim) } };
    });
    if (raises.length === 0) return true;
    const { packages } = this.#connection.collections;
    try {
      const options = { session, ordered: false, maxTimeMS: blockedMs };
      return (await packages.bulkWrite(raises, options)).matchedCount === raises.length;
    } catch (error) {
      if (isBlocked(error)) return false;
      throw error;
    }
  }

  async #raiseAlone(claim: Claim, former: string | undefined): Promise<Raised | undefined> {
    const connection = this.#connection;
    const raised = await connection.write(async (session) => {
      // End open transactions of this process, because they would block the update.
      await this.#sessions.endWhatWasLeft();
      const read = () => this.#readsIn(session).package(claim.packageId);
      return raiseEpoch(connection, session, claim, read, this.#log);
    });
    return raised?.former === claim.instance ? { ...raised, ...defined({ former }) } : raised;
  }

  async #readTogether(packages: readonly Raised[]): Promise<(readonly Order[] | UnreadableError | Alone)[]> {
    if (packages.length === 1) return [new Alone()];
    const ids = packages.map((each) => each.package.id);
    const orders = new Map<number, Order[] | UnreadableError>(ids.map((id) => [id, []]));
    const found = await this.#read((reads) => reads.unfinishedOf(ids, takeoverPage));
    for (const { packageId, order } of found) {
      const known = orders.get(packageId);
      if (order instanceof UnreadableError) orders.set(packageId, order);
      else if (Array.isArray(known)) known.push(order);
    }
    // The page may end before the orders of its last package.
    const last = found.length < takeoverPage ? Number.POSITIVE_INFINITY : (found.at(-1)?.packageId ?? 0);
    return ids.map((id) => (id >= last ? new Alone() : (orders.get(id) ?? [])));
  }

  /** Reads the unfinished orders of one package, in pages. */
  #readAlone(packageId: number): Promise<Order[]> {
    return readUnfinished((above, limit) => this.#read((reads) => reads.unfinished(packageId, above, limit)));
  }

  #read<T>(read: (reads: Reads) => Promise<T>): Promise<T> {
    return this.#connection.run((session) => read(this.#readsIn(session)));
  }
}
