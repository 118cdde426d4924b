import type { Result } from '../engine/operated-engine.ts';
import { Cached } from '../lib/cached.ts';
import type { Clock } from '../lib/clock.ts';
import type { Page } from '../lib/page.ts';
import type { Operator } from '../storage/operator-log.ts';
import type { DeadLetter, OutboxStore } from '../storage/outbox.ts';
import type { ChangeLog } from './change-log.ts';

export interface DeadLetterServiceOptions {
  /** Undefined if mails and webhooks are off. */
  readonly outbox: Pick<OutboxStore, 'deadLetters' | 'revive'> | undefined;
  readonly clock: Clock;
}

const pageSizeDefault = 50;
const pageSizeMax = 200;
/** How many dead letters the overview counts. */
export const recentMax = 100;
const recentMaxAgeMs = 5_000;

/** Lists the mails and webhooks that could not be delivered, and sends them again. */
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
    return this.#options.outbox?.deadLetters(cursor, Math.min(limit, pageSizeMax)) ?? { items: [] };
  }

  /** The newest dead letters, at most {@link recentMax}, some seconds old. @throws StoreUnavailableError */
  recent(): Promise<readonly DeadLetter[]> {
    return this.#recent.get();
  }

  /**
   * Has the owners deliver dead letters again, within seconds. Returns how many: one that does not exist any more, or
   * whose order does not, is not counted.
   */
  retry(by: Operator, ids: readonly string[]): Promise<Result<{ readonly retried: number }>> {
    const request = { by, action: 'notice.retry', target: {}, wish: { deadLetters: ids.length } } as const;
    const revive = async () => {
      const retried = (await this.#options.outbox?.revive(ids)) ?? 0;
      this.#recent.clear();
      return { kind: 'done', value: { retried } } as const;
    };
    return this.#changes.record(request, revive, ({ retried }) => ({ deadLetters: retried }));
  }
}
