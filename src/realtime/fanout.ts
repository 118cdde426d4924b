import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../lib/clock.ts';
import type { Channel, Subscription } from './channel.ts';
import { clockFrame } from './frame.ts';
import { TimeSlice, type TimeSliceOptions } from './time-slice.ts';

export interface FanoutOptions extends TimeSliceOptions {
  /** A viewer with more unsent bytes than this is lagging. A lagging viewer gets nothing new. */
  readonly bufferedBytesMax: number;
  /** A viewer that lags for longer than this is disconnected. */
  readonly stuckMs: number;
  /** A viewer that was sent nothing for this long is sent the server's time. */
  readonly heartbeatMs: number;
}

export const fanoutDefaults: FanoutOptions = {
  sliceMsMin: 2,
  sliceMsMax: 8,
  bufferedBytesMax: 64 * 1024,
  stuckMs: 20_000,
  heartbeatMs: 3000,
  yieldToEventLoop: () => setImmediate(),
  monotonicNow: () => performance.now(),
};

/**
 * Sends viewers the newest version of their channel. A slow viewer gets this version later, and skips the versions
 * between.
 */
export class Fanout {
  readonly #clock: Clock;
  readonly #options: FanoutOptions;
  readonly #slice: TimeSlice;
  readonly #lagging = new Set<Subscription>();

  constructor(clock: Clock, options: FanoutOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#slice = new TimeSlice(options);
  }

  /** Opens a connection: sends the server's time, and then the channel's state if it is known. */
  open(subscription: Subscription): void {
    subscription.sentAt = this.#clock.now();
    subscription.viewer.send(clockFrame(subscription.sentAt));
    this.#deliver(subscription);
  }

  async deliverAll(channel: Channel): Promise<void> {
    for (const subscription of channel.subscriptions) {
      this.#deliver(subscription);
      if (this.#slice.isOver()) await this.#slice.next();
    }
  }

  /** Sends lagging viewers the newest version if they can read again, and disconnects viewers that are stuck. */
  async deliverLagging(): Promise<void> {
    for (const subscription of this.#lagging) {
      this.#deliver(subscription);
      const { laggingSince, viewer } = subscription;
      if (laggingSince !== undefined && this.#clock.now() - laggingSince > this.#options.stuckMs) {
        this.#lagging.delete(subscription);
        viewer.terminate();
      }
      if (this.#slice.isOver()) await this.#slice.next();
    }
  }

  /** Sends the server's time to viewers that were sent nothing for a while. */
  async sendHeartbeats(channel: Channel): Promise<void> {
    const now = this.#clock.now();
    const frame = clockFrame(now);
    for (const subscription of channel.subscriptions) {
      if (now - subscription.sentAt < this.#options.heartbeatMs || this.#isSlow(subscription)) continue;
      subscription.sentAt = now;
      subscription.viewer.send(frame);
      if (this.#slice.isOver()) await this.#slice.next();
    }
  }

  /** Ends a subscription. Returns whether it had not ended before. */
  remove(subscription: Subscription): boolean {
    this.#lagging.delete(subscription);
    return subscription.channel.subscriptions.delete(subscription);
  }

  #deliver(subscription: Subscription): void {
    const { channel, viewer } = subscription;
    if (subscription.version === channel.version) return;
    if (this.#isSlow(subscription)) {
      subscription.laggingSince ??= this.#clock.now();
      this.#lagging.add(subscription);
      return;
    }
    const frame = channel.frameSince(subscription.version);
    subscription.version = channel.version;
    subscription.sentAt = this.#clock.now();
    if (subscription.laggingSince !== undefined) {
      subscription.laggingSince = undefined;
      this.#lagging.delete(subscription);
    }
    viewer.send(frame);
  }

  #isSlow({ viewer }: Subscription): boolean {
    return viewer.bufferedBytes() > this.#options.bufferedBytesMax;
  }
}
