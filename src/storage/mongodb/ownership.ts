import { type ClientSession, MongoServerError, MongoWriteConcernError, type UpdateFilter } from 'mongodb';
import type { Ownership } from '../../domain/messages.ts';
import type { PackageSnapshot } from '../../domain/travel-package.ts';
import { defined } from '../../lib/defined.ts';
import type { Log } from '../../observability/log.ts';
import { killSessions, type NamedSessions } from './commit-session.ts';
import type { Connection } from './connection.ts';
import { type PackageDocument, packageVersion, snapshotFrom } from './documents.ts';
import { isWriteConflict, mongoCode } from './errors.ts';

/**
 * The timeouts of the attempts to raise the epoch. After each timeout, a transaction that locks the package is killed.
 */
const timeoutsMs = [250, 1_000, 4_000];

export interface Claim extends NamedSessions {
  readonly packageId: number;
  readonly instance: string;
}

/** A package whose epoch is raised, with its new fence and its former owner. */
export type Raised = Omit<Ownership, 'unfinished'>;

/**
 * Raises the epoch durably. Also sets the document version of the package, so that older releases do not change it. An
 * earlier owner's transaction was either committed before, so later reads see it, or it conflicts and is undone.
 * @param read reads the package, and throws UnreadableError if it cannot. Then the epoch stays.
 * @returns undefined if there is no such package.
 */
export async function raiseEpoch(
  { collections, client }: Connection,
  session: ClientSession,
  claim: Claim,
  read: () => Promise<PackageSnapshot | undefined>,
  log: Log,
): Promise<Raised | undefined> {
  const { packages } = collections;
  const { packageId } = claim;
  if ((await read()) === undefined) return undefined;
  for (const [attempt, maxTimeMS] of timeoutsMs.entries()) {
    try {
      const before = await packages.findOneAndUpdate(
        { _id: packageId, v: { $lte: packageVersion } },
        claimUpdate(claim),
        // The document before the update has the former owner.
        { returnDocument: 'before', session, maxTimeMS },
      );
      if (before === null) {
        // It was removed, or a newer release has taken it over meanwhile.
        await read();
        return undefined;
      }
      return raisedFrom(snapshotFrom(before), before);
    } catch (error) {
      if (attempt + 1 === timeoutsMs.length) throw error;
      if (isBlocked(error)) await killHolder();
      // If only the majority is slow, the epoch is raised once more: nobody knows yet whether the first raise is durable.
      else if (!isMajoritySlow(error)) throw error;
    }
  }
  return undefined;

  /**
   * Ends the open transaction of an owner that crashed or froze. Otherwise the transaction would lock the package for a
   * minute.
   */
  async function killHolder(): Promise<void> {
    const held = await packages.findOne({ _id: packageId }, { session, projection: { owner: 1 } });
    if (!held?.owner) return;
    log.warn({ packageId, owner: held.owner.instance }, "the former owner's open transaction is ended");
    const { session: alone, group: amongOthers } = held.owner;
    try {
      await killSessions(
        client,
        [alone, amongOthers].filter((id) => id !== undefined),
      );
    } catch (err) {
      log.warn({ packageId, err }, "the former owner's open transaction could not be ended");
    }
  }
}

/** The update that makes the claimant the owner. */
export function claimUpdate({ instance, session, group }: Claim): UpdateFilter<PackageDocument> {
  return {
    $inc: { epoch: 1 },
    $set: {
      v: packageVersion,
      'owner.instance': instance,
      'owner.session': session,
      'owner.group': group,
    },
  };
}

/** The result of a {@link claimUpdate} of this document. */
export function raisedFrom(snapshot: PackageSnapshot, { epoch, seq, owner }: PackageDocument): Raised {
  return { ...snapshot, fence: { epoch: epoch + 1, seq }, ...defined({ former: owner?.instance }) };
}

function isMajoritySlow(error: unknown): boolean {
  return error instanceof MongoWriteConcernError && error.code === mongoCode.maxTimeExpired;
}

/** Whether a transaction locks a package. False if only the majority was slow to acknowledge. */
export function isBlocked(error: unknown): boolean {
  return (
    error instanceof MongoServerError &&
    !(error instanceof MongoWriteConcernError) &&
    (error.code === mongoCode.maxTimeExpired || isWriteConflict(error))
  );
}
