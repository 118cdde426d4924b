import { CommitUnknownError } from '../../../ports/store.ts';
import { commitParts, type Part } from './commit.ts';
import type { CommitSessions } from './commit-session.ts';
import type { Connection } from './connection.ts';
import { Grouped } from './grouped.ts';

/** Orders and packages in one transaction: beyond this the round trips cost next to nothing. */
const documentsMax = 2_000;

/**
 * Commits what several packages have to commit at the same time in one transaction. A thousand packages that each
 * sell one unit now and then cost the server little more than one that sells a thousand.
 *
 * ```
 *            ┌─► applied: all of them
 *   a group ─┼─► unknown: all of them
 *            └─► not applied: each is committed alone, and hears of its own outcome
 * ```
 *
 * A package whose last commit failed goes alone until one succeeds, so that it does not fail the others' groups.
 */
export class GroupCommit {
  readonly #connection: Connection;
  readonly #sessions: CommitSessions;
  readonly #groups: Grouped<Part, Error | undefined>;
  readonly #failed = new Set<number>();

  constructor(connection: Connection, sessions: CommitSessions) {
    this.#connection = connection;
    this.#sessions = sessions;
    this.#groups = new Grouped((parts) => this.#commitAll(parts));
  }

  /** @throws Error as Store.commit says. */
  async commit(part: Part): Promise<void> {
    const failure = await (this.#failed.has(part.packageId) ? this.#alone(part) : this.#groups.call(part));
    if (failure !== undefined) throw failure;
  }

  async #commitAll(parts: readonly Part[]): Promise<(Error | undefined)[]> {
    const outcomes: (Error | undefined)[] = [];
    for (const group of groupsOf(parts)) outcomes.push(...(await this.#together(group)));
    return outcomes;
  }

  async #together(parts: readonly Part[]): Promise<(Error | undefined)[]> {
    if (parts.length > 1) {
      try {
        await commitParts(this.#connection, this.#sessions.group, parts);
        return parts.map(() => undefined);
      } catch (error) {
        if (error instanceof CommitUnknownError) return parts.map(() => error);
      }
    }
    return Promise.all(parts.map((part) => this.#alone(part)));
  }

  async #alone(part: Part): Promise<Error | undefined> {
    const { packageId } = part;
    try {
      await commitParts(this.#connection, this.#sessions.of(packageId), [part]);
      this.#failed.delete(packageId);
      return undefined;
    } catch (error) {
      this.#failed.add(packageId);
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}

/** In their order, each of bounded size. */
function groupsOf(parts: readonly Part[]): Part[][] {
  const groups: Part[][] = [];
  let room = 0;
  for (const part of parts) {
    const { inserted, updated } = part.change;
    const documents = 1 + inserted.length + updated.length;
    if (documents > room) {
      groups.push([]);
      room = documentsMax;
    }
    groups.at(-1)?.push(part);
    room -= documents;
  }
  return groups;
}
