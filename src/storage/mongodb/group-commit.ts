import type { Batcher } from '../../lib/batcher.ts';
import type { Log } from '../../observability/log.ts';
import { CommitUnknownError, FencedError } from '../store.ts';
import { commitParts, GivenUpError, type Part } from './commit.ts';
import { type CommitSessions, idleMs } from './commit-session.ts';
import type { Connection } from './connection.ts';
import { isWriteConflict } from './errors.ts';

/**
 * The most orders and packages in one transaction. In a transaction of this size the round trip is only a small part of
 * the cost.
 */
const documentsMax = 2_000;

/**
 * Commits the changes of several packages in one transaction. A thousand packages with one order each then cost the
 * server little more than one package with a thousand orders.
 *
 * ```
 *            ┌─► applied: all of them
 *   a group ─┼─► unknown: all of them
 *            ├─► not applied in time: none of them
 *            └─► refused: each is committed alone and gets its own outcome
 * ```
 *
 * A package that fails alone too is committed alone until a commit succeeds, so that it does not make other groups
 * fail. If a transaction of a killed process locks it, that transaction is ended.
 */
export class GroupCommit {
  readonly #connection: Connection;
  readonly #sessions: CommitSessions;
  readonly #log: Log;
  readonly #groups: Batcher<Part, undefined>;
  /** The packages that fail alone, with the time of their first failure, in ms on the monotonic clock. */
  readonly #failed = new Map<number, number>();

  constructor(connection: Connection, sessions: CommitSessions, log: Log) {
    this.#connection = connection;
    this.#sessions = sessions;
    this.#log = log;
    this.#groups = connection.batcher((parts) => this.#together(parts), {
      weigh: ({ change }) => 1 + change.inserted.length + change.updated.length,
      // A transaction over several shards costs more than it saves.
      weightMax: connection.isSharded ? 1 : documentsMax,
    });
  }

  /**
   * Commits the change of a package.
   * @throws Error as Store.commit says.
   */
  async commit(part: Part): Promise<void> {
    const { packageId } = part;
    if (this.#sessions.isMisnamed(packageId)) {
      throw new CommitUnknownError(
        `the session of package ${packageId} was replaced: it has to be taken again`,
      );
    }
    if (!this.#failed.has(packageId)) return this.#groups.add(part);
    const failure = await this.#alone(part);
    if (failure !== undefined) throw failure;
  }

  async #together(parts: readonly Part[]): Promise<(Error | undefined)[]> {
    const [first] = parts;
    if (parts.length === 1 && first !== undefined) return [await this.#alone(first)];
    const { group } = this.#sessions;
    try {
      await commitParts(this.#connection, group, parts);
      return parts.map(() => undefined);
    } catch (error) {
      if (error instanceof CommitUnknownError) return parts.map(() => error);
      // The abort may not have reached the server. Then the open transaction would lock all these packages.
      if (!(error instanceof FencedError)) this.#sessions.leave(group.id);
      this.#log.debug({ packages: parts.length, err: error }, 'a group was not applied');
      if (error instanceof GivenUpError) return parts.map(() => error);
    }
    return Promise.all(parts.map((part) => this.#alone(part)));
  }

  async #alone(part: Part): Promise<Error | undefined> {
    const { packageId } = part;
    try {
      await this.#connection.bounded(this.#sessions.endWhatWasLeft());
      await commitParts(this.#connection, this.#sessions.of(packageId), [part]);
      this.#failed.delete(packageId);
      return undefined;
    } catch (error) {
      const failedAt = this.#failed.get(packageId) ?? performance.now();
      this.#failed.set(packageId, failedAt);
      const isLocked = isWriteConflict(error) && performance.now() - failedAt > idleMs;
      if (isLocked) await this.#connection.bounded(this.#sessions.endIdle()).catch(() => {});
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}
