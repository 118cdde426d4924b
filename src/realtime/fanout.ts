import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../lib/clock.ts';
import type { Channel, Seat } from './channel.ts';
import { clockMessage } from './envelope.ts';
import { Turns, type TurnsOptions } from './turns.ts';

export interface FanoutOptions extends TurnsOptions {
  /** A viewer with more than this unsent skips ahead. */
  readonly bufferedBytesMax: number;
  /** A viewer that has been too slow for so long is cut. */
  readonly stuckMs: number;
  /** A viewer that was told nothing for so long is told the time. */
  readonly silenceMs: number;
}

export const fanoutDefaults: FanoutOptions = {
  turnMsMin: 2,
  turnMsMax: 8,
  bufferedBytesMax: 64 * 1024,
  stuckMs: 20_000,
  silenceMs: 3000,
  breathe: () => setImmediate(),
  steady: () => performance.now(),
};

/** Brings viewers to the newest version of their channel, slow ones when they can take it. */
export class Fanout {
  readonly #clock: Clock;
  readonly #options: FanoutOptions;
  readonly #turns: Turns;
  readonly #lagging = new Set<Seat>();

  constructor(clock: Clock, options: FanoutOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#turns = new Turns(options);
  }

  /** Opens a connection: the clock, then the present state where it is known. */
  welcome(seat: Seat): void {
    seat.sentAt = this.#clock.now();
    seat.viewer.send(clockMessage(seat.sentAt));
    this.#offer(seat);
  }

  async offerAll(channel: Channel): Promise<void> {
    for (const seat of channel.seats) {
      this.#offer(seat);
      if (this.#turns.isOver()) await this.#turns.pass();
    }
  }

  /** Serves those who were too slow and can take more now; cuts those who never will. */
  async offerLagging(): Promise<void> {
    for (const seat of this.#lagging) {
      this.#offer(seat);
      if (seat.laggingSince !== undefined && this.#clock.now() - seat.laggingSince > this.#options.stuckMs) {
        this.#lagging.delete(seat);
        seat.viewer.cut();
      }
      if (this.#turns.isOver()) await this.#turns.pass();
    }
  }

  /** Tells the time to those who heard nothing for a while. */
  async breakSilence(channel: Channel): Promise<void> {
    const now = this.#clock.now();
    const message = clockMessage(now);
    for (const seat of channel.seats) {
      if (now - seat.sentAt < this.#options.silenceMs || this.#isSlow(seat)) continue;
      seat.sentAt = now;
      seat.viewer.send(message);
      if (this.#turns.isOver()) await this.#turns.pass();
    }
  }

  forget(seat: Seat): void {
    this.#lagging.delete(seat);
  }

  #offer(seat: Seat): void {
    const { channel, viewer } = seat;
    if (seat.seen === channel.version) return;
    if (this.#isSlow(seat)) {
      seat.laggingSince ??= this.#clock.now();
      this.#lagging.add(seat);
      return;
    }
    const frame = channel.frameSince(seat.seen);
    seat.seen = channel.version;
    seat.sentAt = this.#clock.now();
    if (seat.laggingSince !== undefined) {
      seat.laggingSince = undefined;
      this.#lagging.delete(seat);
    }
    viewer.send(frame);
  }

  #isSlow(seat: Seat): boolean {
    return seat.viewer.bufferedBytes() > this.#options.bufferedBytesMax;
  }
}
