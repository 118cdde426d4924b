import { type ClientSession, MongoServerError, MongoWriteConcernError, type UUID } from 'mongodb';
import type { Fence } from '../../domain/messages.ts';
import type { Log } from '../../observability/log.ts';
import type { Connection } from './connection.ts';
import { documentVersion, type PackageDocument, refuseNewer } from './documents.ts';
import { mongoCode } from './errors.ts';

/** How long the bump waits for a transaction that holds the package, before that is ended by force. */
const patienceMs = [250, 1_000, 4_000];

export interface Claim {
  readonly packageId: number;
  readonly instance: string;
  /** The ids of the sessions in which the instance will commit: the package's own, and the one for groups. */
  readonly session: UUID;
  readonly group: UUID;
}

export interface Raised {
  /** The package with the raised epoch; its `owner` is still the former one. */
  readonly package: PackageDocument;
  /** Who owned it before. */
  readonly former?: string;
}

/**
 * Raises the epoch, durably, and the package's document version, so that from here on an older release leaves it alone. A transaction of an older owner has either committed before, so that everything read
 * in this session after it sees that, or it conflicts and is undone.
 * @returns the package as it is from then on, or undefined when there is none.
 * @throws Error for a package that a newer release has changed beyond what this one knows.
 */
export async function raiseEpoch(
  { collections, client }: Connection,
  session: ClientSession,
  { packageId, instance, session: own, group }: Claim,
  log: Log,
): Promise<Raised | undefined> {
  const { packages } = collections;
  for (const [attempt, maxTimeMS] of patienceMs.entries()) {
    try {
      const raised = await packages.findOneAndUpdate(
        { _id: packageId, v: { $lte: documentVersion } },
        {
          $inc: { epoch: 1 },
          $set: {
            v: documentVersion,
            'owner.instance': instance,
            'owner.session': own,
            'owner.group': group,
          },
        },
        // The document before the update names the former owner, atomically with the update.
        { returnDocument: 'before', session, maxTimeMS },
      );
      return raised ? raisedFrom(raised) : await absent();
    } catch (error) {
      if (!isBlocked(error) || attempt + 1 === patienceMs.length) throw error;
      await killHolder();
    }
  }
  return undefined;

  async function absent(): Promise<undefined> {
    const other = await packages.findOne({ _id: packageId }, { session });
    if (other) refuseNewer(other);
  }

  /** An owner that was killed or frozen in the middle of a transaction would lock the package for a minute. */
  async function killHolder(): Promise<void> {
    const held = await packages.findOne({ _id: packageId }, { session, projection: { owner: 1 } });
    if (!held?.owner) return;
    log.warn({ packageId, owner: held.owner.instance }, "the former owner's open transaction is ended");
    try {
      const { session: alone, group: amongOthers } = held.owner;
      const killSessions = [{ id: alone }, ...(amongOthers === undefined ? [] : [{ id: amongOthers }])];
      await client.db('admin').command({ killSessions });
    } catch (err) {
      log.warn({ packageId, err }, "the former owner's open transaction could not be ended");
    }
  }
}

function raisedFrom(before: PackageDocument): Raised {
  const raised = { package: { ...before, v: documentVersion, epoch: before.epoch + 1 } };
  return before.owner === undefined ? raised : { ...raised, former: before.owner.instance };
}

export function fenceOf({ epoch, seq }: PackageDocument): Fence {
  return { epoch, seq };
}

/** Not when only the majority was slow: then nobody is in the way. */
function isBlocked(error: unknown): boolean {
  return (
    error instanceof MongoServerError &&
    !(error instanceof MongoWriteConcernError) &&
    (error.code === mongoCode.maxTimeExpired || error.code === mongoCode.writeConflict)
  );
}
