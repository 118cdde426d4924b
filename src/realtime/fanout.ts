import { setImmediate } from 'node:timers/promises';
import { defaultLanguage, type Language, languages } from '../http/pages/texts/languages.ts';
import type { Clock } from '../lib/clock.ts';
import type { ClockMessage } from './messages.ts';
import { TimeSlice, type TimeSliceOptions } from './schedule.ts';

/**
 * The messages of a live socket are text. `messages.ts` has their schemas:
 *
 * 1. `{"now": 1700000000000}`: the server's clock as Unix time in ms. This message opens every connection, and is
 *    sent again when nothing else was sent for 4 s. A page treats a socket as dead when it was silent for 9 s.
 * 2. For pages, HTML that htmx 4's hx-ws extension reads: one or more fragments, each wrapped so that it replaces the
 *    element with its id, for example `<hx-partial hx-target="#stay-1" hx-swap="outerMorph">…</hx-partial>`. htmx skips an
 *    id that is not on the page.
 * 3. For programs, JSON: one message for each package or order.
 */

/** What the messages of a channel are: fragments of pages in a language, or JSON for programs. */
export type LiveFormat = Language | 'json';

export const liveFormats: readonly LiveFormat[] = [...languages, 'json'];

/**
 * A part of a topic's state: a part of a page with the id of its root element, without `hx-*` attributes; or in JSON a
 * whole message, with an id that tells it from the others of its channel.
 */
export interface Fragment {
  readonly rootId: string;
  readonly text: string;
}

/** Fragments as one message. White space around a fragment is removed, because htmx would insert it as a node. */
function pageFrame(fragments: Iterable<Fragment>): Buffer {
  let message = '';
  for (const { rootId, text } of fragments) {
    message += `<hx-partial hx-target="#${rootId}" hx-swap="outerMorph">${text.trim()}</hx-partial>`;
  }
  return textFrame(message);
}

/** Each fragment as a message of its own. */
function jsonFrames(fragments: Iterable<Fragment>): Buffer {
  return Buffer.concat(Array.from(fragments, ({ text }) => textFrame(text)));
}

/** A message with the server's clock. */
function clockFrame(now: number): Buffer {
  return textFrame(JSON.stringify({ now } satisfies ClockMessage));
}

/**
 * Returns a text as one unmasked, final WebSocket frame (RFC 6455, section 5.2). The same frame is sent to many
 * sockets, which is cheaper than letting the WebSocket library make a frame for each.
 */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const header = headerOf(length);
  const frame = Buffer.allocUnsafe(header.length + length);
  frame.set(header);
  frame.write(text, header.length);
  return frame;
}

const finalText = 0x81;

function headerOf(length: number): Buffer {
  if (length < 126) return Buffer.from([finalText, length]);
  if (length < 65_536) return Buffer.from([finalText, 126, length >> 8, length & 0xff]);
  const header = Buffer.alloc(10);
  header.set([finalText, 127]);
  header.writeUIntBE(length, 4, 6);
  return header;
}

/** One connection, as the fan-out sees it. Its methods neither throw nor wait. */
export interface Viewer {
  /** Sends one or more whole WebSocket frames. All viewers share the bytes, so never write to them. */
  send(frame: Buffer): void;
  /** How many bytes were sent and are still in this process. */
  bufferedBytes(): number;
  /** Starts the closing handshake with a close code (RFC 6455, section 7.4). */
  close(code: number, reason: string): void;
  /** Ends the connection without a handshake, for clients that do not read. */
  terminate(): void;
}

/**
 * Close codes (RFC 6455, section 7.4.1). The pages' hx-ws extension reconnects after `restart`, but not after
 * `refused`.
 */
export const closeCodes = { refused: 1008, restart: 1012 } as const;

/** A viewer of a channel. */
export interface Subscription {
  readonly viewer: Viewer;
  readonly channel: Channel;
  /** The channel's version that the viewer has; 0 if the viewer has none. */
  version: number;
  /** When something was last sent to the viewer, in ms on the monotonic clock. */
  sentAt: number;
  /** When the viewer became too slow, in ms on the monotonic clock; undefined while the viewer keeps up. */
  laggingSince: number | undefined;
}

interface Part {
  readonly fragment: Fragment;
  /** The channel's version that brought the fragment. */
  readonly version: number;
}

/**
 * The newest state of a topic in one format, as fragments, and its viewers. Each `put` makes a new version. A viewer at
 * version v needs exactly the fragments that are newer than v. So a new viewer gets all fragments, and a viewer that missed
 * a hundred versions gets only the newest one. The only state per viewer is a number.
 */
export class Channel {
  readonly format: LiveFormat;
  readonly subscriptions = new Set<Subscription>();
  readonly #parts = new Map<string, Part>();
  /**
   * Frames that lead to the current version, by the version before. Viewers that have the same version share them.
   */
  readonly #frames = new Map<number, Buffer>();
  #version = 0;

  constructor(format: LiveFormat = defaultLanguage) {
    this.format = format;
  }

  get version(): number {
    return this.#version;
  }

  subscribe(viewer: Viewer): Subscription {
    const subscription = { viewer, channel: this, version: 0, sentAt: 0, laggingSince: undefined };
    this.subscriptions.add(subscription);
    return subscription;
  }

  /** Adds fragments. A fragment replaces the fragment with the same id. */
  put(fragments: readonly Fragment[]): void {
    const news = this.format === 'json' ? fragments.filter((each) => !this.#isKnown(each)) : fragments;
    if (news.length === 0) return;
    this.#version++;
    this.#frames.clear();
    for (const fragment of news) {
      this.#parts.set(fragment.rootId, { fragment, version: this.#version });
    }
  }

  /** Removes a fragment. Present viewers keep the fragment; later viewers do not get it. */
  remove(rootId: string): void {
    if (this.#parts.delete(rootId)) this.#frames.clear();
  }

  /** The frames that lead from the given version to the current version, which must be newer: one, or in JSON several. */
  frameSince(version: number): Buffer {
    let frame = this.#frames.get(version);
    if (frame === undefined) {
      const news = this.#newerThan(version);
      frame = this.format === 'json' ? jsonFrames(news) : pageFrame(news);
      this.#frames.set(version, frame);
    }
    return frame;
  }

  /** Whether programs have the state already: a page shows more of it, such as how many orders are being booked. */
  #isKnown({ rootId, text }: Fragment): boolean {
    return this.#parts.get(rootId)?.fragment.text === text;
  }

  *#newerThan(version: number): Iterable<Fragment> {
    for (const part of this.#parts.values()) {
      if (part.version > version) yield part.fragment;
    }
  }
}

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
    subscription.sentAt = this.#clock.monotonic();
    subscription.viewer.send(clockFrame(this.#clock.now()));
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
      if (laggingSince !== undefined && this.#clock.monotonic() - laggingSince > this.#options.stuckMs) {
        this.#lagging.delete(subscription);
        viewer.terminate();
      }
      if (this.#slice.isOver()) await this.#slice.next();
    }
  }

  /** Sends the server's time to viewers that were sent nothing for a while. */
  async sendHeartbeats(channel: Channel): Promise<void> {
    const now = this.#clock.monotonic();
    const frame = clockFrame(this.#clock.now());
    for (const subscription of channel.subscriptions) {
      if (now - subscription.sentAt < this.#options.heartbeatMs || this.#isSlow(subscription)) continue;
      subscription.sentAt = now;
      subscription.viewer.send(frame);
      if (this.#slice.isOver()) await this.#slice.next();
    }
  }

  /** Ends a subscription. Returns false if the subscription had already ended. */
  remove(subscription: Subscription): boolean {
    this.#lagging.delete(subscription);
    return subscription.channel.subscriptions.delete(subscription);
  }

  #deliver(subscription: Subscription): void {
    const { channel, viewer } = subscription;
    if (subscription.version === channel.version) return;
    if (this.#isSlow(subscription)) {
      subscription.laggingSince ??= this.#clock.monotonic();
      this.#lagging.add(subscription);
      return;
    }
    const frame = channel.frameSince(subscription.version);
    subscription.version = channel.version;
    subscription.sentAt = this.#clock.monotonic();
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
