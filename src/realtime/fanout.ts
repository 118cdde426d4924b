import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../lib/clock.ts';
import type { Channel, Subscription } from './channel.ts';
import { clockMessage } from './envelope.ts';
import { TimeSlice, type TimeSliceOptions } from './time-slice.ts';

export interface FanoutOptions extends TimeSliceOptions {
  /** A viewer with more than this unsent skips ahead. */
  readonly bufferedBytesMax: number;
  /** A viewer that has been too slow for so long is cut. */
  readonly stuckMs: number;
  /** A viewer that was told nothing for so long is told the time. */
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

/** Brings viewers to the newest version of their channel, slow ones when they can take it. */
export class Fanout {
  readonly #clock: Clock;
  readonly #options: FanoutOptions;
  readonly #turns: TimeSlice;
  readonly #lagging = new Set<Subscription>();

  constructor(clock: Clock, options: FanoutOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#turns = new TimeSlice(options);
  }

  /** Opens a connection: the clock, then the present state where it is known. */
  open(seat: Subscription): void {
    seat.sentAt = this.#clock.now();
    seat.viewer.send(clockMessage(seat.sentAt));
    this.#offer(seat);
  }

  async deliverAll(channel: Channel): Promise<void> {
    for (const seat of channel.subscriptions) {
      this.#offer(seat);
      if (this.#turns.isOver()) await this.#turns.next();
    }
  }

  /** Serves those who were too slow and can take more now; cuts those who never will. */
  async deliverLagging(): Promise<void> {
    for (const seat of this.#lagging) {
      this.#offer(seat);
      if (seat.laggingSince !== undefined && this.#clock.now() - seat.laggingSince > this.#options.stuckMs) {
        this.#lagging.delete(seat);
        seat.viewer.terminate();
      }
      if (this.#turns.isOver()) await this.#turns.next();
    }
  }

  /** Tells the time to those who heard nothing for a while. */
  async sendHeartbeats(channel: Channel): Promise<void> {
    const now = this.#clock.now();
    const message = clockMessage(now);
    for (const seat of channel.subscriptions) {
      if (now - seat.sentAt < this.#options.heartbeatMs || this.#isSlow(seat)) continue;
      seat.sentAt = now;
      seat.viewer.send(message);
      if (this.#turns.isOver()) await this.#turns.next();
    }
  }

  remove(seat: Subscription): void {
    this.#lagging.delete(seat);
  }

  #offer(seat: Subscription): void {
    const { channel, viewer } = seat;
    if (seat.version === channel.version) return;
    if (this.#isSlow(seat)) {
      seat.laggingSince ??= this.#clock.now();
      this.#lagging.add(seat);
      return;
    }
    const frame = channel.frameSince(seat.version);
    seat.version = channel.version;
    seat.sentAt = this.#clock.now();
    if (seat.laggingSince !== undefined) {
      seat.laggingSince = undefined;
      this.#lagging.delete(seat);
    }
    viewer.send(frame);
  }

  #isSlow(seat: Subscription): boolean {
    return seat.viewer.bufferedBytes() > this.#options.bufferedBytesMax;
  }
}
