import type { NoticeChannel } from '../domain/notices.ts';
import type { OperatedEngine, Result } from '../engine/operated-engine.ts';
import { Cached } from '../lib/cached.ts';
import type { Clock } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import type { Page } from '../lib/page.ts';
import type { Operator } from '../storage/operator-log.ts';
import { type DeadLetter, noticeId, type OutboxStore } from '../storage/outbox.ts';
import type { Store } from '../storage/store.ts';
import type { ChangeLog } from './change-log.ts';

export interface DeadLetterServiceOptions {
  readonly outbox: Pick<OutboxStore, 'deadLetters' | 'revive' | 'discard'>;
  /** The channels that are on. Nobody delivers notices of the others. */
  readonly noticeChannels: readonly NoticeChannel[];
  readonly engine: Pick<OperatedEngine, 'retry'>;
  readonly store: Pick<Store, 'order'>;
  readonly clock: Clock;
}

/** Which dead letters are meant: those with these ids (see `noticeId`), or all of a channel. One of the two is given. */
export interface DeadLetterSelection {
  readonly ids?: readonly string[];
  readonly channel?: NoticeChannel;
}

/** What a retry has done. */
export interface Retried {
  readonly retried: number;
  /** How many were left because their orders have changed since. */
  readonly outdated: number;
  /** How many were left because their channel is off. */
  readonly channelOff: number;
}

const pageSizeDefault = 50;
const pageSizeMax = 200;
/** How many dead letters the overview counts. */
export const recentMax = 100;
const recentMaxAgeMs = 5_000;

/** Lists the mails and webhooks that could not be delivered, sends them again, and discards them. */
export class DeadLetterService {
  readonly #options: DeadLetterServiceOptions;
  readonly #changes: ChangeLog;
  /** Shared by all viewers of the overview. */
  readonly #recent: Cached<readonly DeadLetter[]>;

  constructor(options: DeadLetterServiceOptions, changes: ChangeLog) {
    this.#options = options;
    this.#changes = changes;
    const read = async () => (await this.list(undefined, recentMax)).items;
    this.#recent = new Cached(read, { clock: options.clock, maxAgeMs: recentMaxAgeMs });
  }

  /** The dead letters, newest first. @throws StoreUnavailableError */
  async list(cursor?: string, limit = pageSizeDefault): Promise<Page<DeadLetter>> {
    return this.#options.outbox.deadLetters(cursor, Math.min(limit, pageSizeMax));
  }

  /** The newest dead letters, at most {@link recentMax}, some seconds old. @throws StoreUnavailableError */
  recent(): Promise<readonly DeadLetter[]> {
    return this.#recent.get();
  }

  /**
   * Has the owners deliver dead letters again, within seconds. One that does not exist any more, or whose order does not,
   * is not counted. One whose channel is off stays a dead letter.
   */
  retry(by: Operator, selection: DeadLetterSelection): Promise<Result<Retried>> {
    const request = { by, action: 'notice.retry', target: {}, wish: wishOf(selection) } as const;
    const revive = async () => {
      const { outbox, noticeChannels } = this.#options;
      const total = { retried: 0, outdated: 0, channelOff: 0 };
      /** One order of each package. */
      const orderOf = new Map<number, string>();
      await this.#inPages(selection, async (ids) => {
        const deliverable = ids.filter((id) => noticeChannels.some((channel) => id.endsWith(`.${channel}`)));
        total.channelOff += ids.length - deliverable.length;
        if (deliverable.length === 0) return;
        const { letters, outdated } = await outbox.revive(deliverable);
        total.retried += letters.length;
        total.outdated += outdated;
        for (const { packageId, orderId } of letters) orderOf.set(packageId, orderId);
      });
      void this.#wakeOwners(orderOf.values());
      return { kind: 'done', value: total } as const;
    };
    return this.#changes.record(request, revive, ({ retried }) => ({ deadLetters: retried }));
  }

  /** Deletes dead letters: nobody is told of these events any more. Returns how many there were. */
  discard(by: Operator, selection: DeadLetterSelection): Promise<Result<{ readonly discarded: number }>> {
    const request = { by, action: 'notice.discard', target: {}, wish: wishOf(selection) } as const;
    const discard = async () => {
      let discarded = 0;
      await this.#inPages(selection, async (ids) => {
        discarded += await this.#options.outbox.discard(ids);
      });
      return { kind: 'done', value: { discarded } } as const;
    };
    return this.#changes.record(request, discard, ({ discarded }) => ({ deadLetters: discarded }));
  }

  /**
   * Makes the owners of the orders' packages look for notices at once. An owner that is not reached looks by itself
   * within a minute. Never rejects.
   */
  async #wakeOwners(orderIds: Iterable<string>): Promise<void> {
    const { engine, store } = this.#options;
    for (const id of orderIds) {
      try {
        const order = await store.order(id);
        if (order !== undefined) await engine.retry(order);
      } catch {
        // The store is away, or the order cannot be read.
      }
    }
  }

  /** Does the work for the ids of each page. */
  async #inPages(
    { ids, channel }: DeadLetterSelection,
    work: (ids: readonly string[]) => Promise<void>,
  ): Promise<void> {
    try {
      if (ids !== undefined) return await work(ids);
      let cursor: string | undefined;
      do {
        const page = await this.list(cursor, pageSizeMax);
        const found = page.items.filter((letter) => letter.channel === channel).map(noticeId);
        if (found.length > 0) await work(found);
        cursor = page.next;
        // Other work of the process runs between the pages.
        await this.#options.clock.sleep(0);
      } while (cursor !== undefined);
    } finally {
      this.#recent.clear();
    }
  }
}

/** What the log says about a selection. Ids of orders are left out. */
function wishOf({ ids, channel }: DeadLetterSelection): Json {
  return ids === undefined ? { channel: channel ?? null } : { deadLetters: ids.length };
}
