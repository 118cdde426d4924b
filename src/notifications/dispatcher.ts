import pLimit from 'p-limit';
import type { NoticeChannel } from '../domain/notices.ts';
import { Abort, type AbortState } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { settlesWithin } from '../lib/deadline.ts';
import { LogOnce } from '../lib/log-once.ts';
import type { Random } from '../lib/random.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { OutboxStore } from '../storage/outbox.ts';
import type { Channel } from './channel.ts';
import { Lane, type LaneOptions } from './lane.ts';
import type { Notifications } from './notifications.ts';
import { Pace } from './pace.ts';

export interface DispatcherOptions {
  readonly channels: readonly Channel[];
  readonly store: Pick<OutboxStore, 'owed' | 'settle' | 'packagesOwing'>;
  readonly clock: Clock;
  readonly random: Pick<Random, 'fraction'>;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'notice' | 'gauge'>;
  /** Makes the pace of a channel. Default: deliveries are slower while the process is busy. */
  readonly makePace?: () => Pick<Pace, 'rest'>;
  /** Default: {@link sweepDefaultMs}. */
  readonly sweepMs?: number;
}

/** Lanes that deliver on a channel at once. Others wait for their turn, first come first served (rule Q12). */
const turnsMax = 8;
/**
 * Interval of the looks for owed notices that no commit of this instance has announced: those of packages without an
 * owner or with a new one, and revived dead letters. On MongoDB a look reads every order
 * that owes a notice, so one look serves all who ask.
 */
const sweepDefaultMs = 5_000;
/** A receiver of which every second delivery fails causes two lines in this time. */
const logPauseMs = 60_000;
/** How long a stop waits for deliveries that are under way. What is cut off is delivered again by the next owner. */
const closeMs = 2_000;

interface Owned {
  readonly until: AbortState;
  readonly settled: () => void;
  /** The lanes that run. */
  readonly lanes: Map<NoticeChannel, Lane>;
}

/** Delivers the notices of the packages that this instance owns. */
export class Dispatcher implements Notifications {
  readonly #options: DispatcherOptions;
  readonly #channels: ReadonlyMap<NoticeChannel, LaneOptions>;
  readonly #owned = new Map<number, Owned>();
  /** The packages that owed notices of a channel at its last look, whoever owns them. */
  readonly #owing = new Map<NoticeChannel, ReadonlySet<number>>();
  readonly #running = new Set<Promise<void>>();
  readonly #closed = new Abort();

  constructor(options: DispatcherOptions) {
    const { channels, store, clock, random, log, metrics, makePace = () => new Pace(clock) } = options;
    this.#options = options;
    this.#channels = new Map(
      channels.map((channel) => [
        channel.name,
        {
          // Its own pace, so that a receiver that is away slows no other channel (rule Q12).
          ...{ channel, store, clock, random, log, metrics, pace: makePace() },
          ...{ turns: pLimit(turnsMax), slots: pLimit(channel.deliveriesMax) },
          failure: new LogOnce({ clock, pauseMs: logPauseMs }),
        },
      ]),
    );
    metrics.gauge('oldest_failing_notice_seconds', () => this.#failingMs() / 1_000);
  }

  own(packageId: number, until: AbortState, settled: () => void): void {
    const owned: Owned = { until, settled, lanes: new Map() };
    this.#owned.set(packageId, owned);
    const disown = () => {
      if (this.#owned.get(packageId) === owned) this.#owned.delete(packageId);
    };
    if (until.aborted) return disown();
    until.addEventListener('abort', disown, { once: true });
    for (const [channel, ids] of this.#owing) if (ids.has(packageId)) this.#wake(packageId, channel);
  }

  added(packageId: number): void {
    for (const channel of this.#channels.keys()) this.#wake(packageId, channel);
  }

  isDelivering(packageId: number): boolean {
    return (this.#owned.get(packageId)?.lanes.size ?? 0) > 0;
  }

  packagesOwing(): readonly number[] {
    return [...new Set([...this.#owing.values()].flatMap((ids) => [...ids]))];
  }

  /** Looks for owed notices until it is closed. Call it before the engine starts, which asks for {@link packagesOwing}. */
  async run(): Promise<void> {
    const { clock, sweepMs = sweepDefaultMs } = this.#options;
    while (!this.#closed.aborted) {
      await this.#sweep();
      await clock.sleep(sweepMs, this.#closed);
    }
  }

  /** Ends the deliveries. Call it once the engine has drained, and before the store closes. */
  async close(): Promise<void> {
    this.#closed.abort();
    await settlesWithin(closeMs, Promise.all(this.#running), this.#options.clock);
    for (const { channel } of this.#channels.values()) channel.close();
  }

  #failingMs(): number {
    const now = this.#options.clock.monotonic();
    let oldest = now;
    for (const { lanes } of this.#owned.values()) {
      for (const { failingSince = now } of lanes.values()) oldest = Math.min(oldest, failingSince);
    }
    return now - oldest;
  }

  async #sweep(): Promise<void> {
    const { store, log } = this.#options;
    for (const channel of this.#channels.keys()) {
      try {
        const owing = await store.packagesOwing([channel]);
        this.#owing.set(channel, new Set(owing));
        // A lane that runs reads again by itself.
        for (const id of owing)
          if (this.#owned.get(id)?.lanes.has(channel) === false) this.#wake(id, channel);
      } catch (err) {
        log.debug({ channel, err }, 'owed notices could not be looked for');
      }
    }
  }

  #wake(packageId: number, channel: NoticeChannel): void {
    const owned = this.#owned.get(packageId);
    const options = this.#channels.get(channel);
    if (owned === undefined || options === undefined || this.#closed.aborted) return;
    const running = owned.lanes.get(channel);
    if (running !== undefined) return running.wake();
    const lane = new Lane(options, packageId, owned.until);
    owned.lanes.set(channel, lane);
    const work = lane.run().then(() => {
      this.#running.delete(work);
      owned.lanes.delete(channel);
      // Notices may have come after its last look.
      if (lane.isWanted) this.#wake(packageId, channel);
      if (owned.lanes.size === 0 && !owned.until.aborted) owned.settled();
    });
    this.#running.add(work);
  }
}
