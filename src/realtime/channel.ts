import { type Fragment, fragmentsFrame } from './frame.ts';

/** One connection, as the fan-out sees it. No method throws or waits. */
export interface Viewer {
  /** Sends one whole WebSocket frame. All viewers share the bytes, so never write to them. */
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
  /** When something was last sent to the viewer, as Unix time in ms. */
  sentAt: number;
  /** Since when the viewer has been too slow, as Unix time in ms; undefined while the viewer keeps up. */
  laggingSince: number | undefined;
}

interface Part {
  readonly fragment: Fragment;
  /** The channel's version that brought the fragment. */
  readonly version: number;
}

/**
 * The newest state of a topic, as fragments, and its viewers. Each `put` makes a new version. A viewer at version v
 * needs exactly the fragments that are newer than v: a new viewer gets all of them, and a viewer that missed a hundred
 * versions gets one message. The only state per viewer is a number.
 */
export class Channel {
  readonly subscriptions = new Set<Subscription>();
  readonly #parts = new Map<string, Part>();
  /**
   * Frames that lead to the current version, by the version before. Viewers that have the same version share a frame.
   */
  readonly #frames = new Map<number, Buffer>();
  #version = 0;

  get version(): number {
    return this.#version;
  }

  subscribe(viewer: Viewer): Subscription {
    const subscription = { viewer, channel: this, version: 0, sentAt: 0, laggingSince: undefined };
    this.subscriptions.add(subscription);
    return subscription;
  }

  /** Replaces the fragments with the same ids. */
  put(fragments: readonly Fragment[]): void {
    if (fragments.length === 0) return;
    this.#version++;
    this.#frames.clear();
    for (const fragment of fragments) {
      this.#parts.set(fragment.rootId, { fragment, version: this.#version });
    }
  }

  /** Removes a fragment. Viewers that have it keep it; later viewers do not get it. */
  remove(rootId: string): void {
    if (this.#parts.delete(rootId)) this.#frames.clear();
  }

  /** The frame that leads from the given version to the current version, which must be newer. */
  frameSince(version: number): Buffer {
    let frame = this.#frames.get(version);
    if (frame === undefined) {
      frame = fragmentsFrame(this.#newerThan(version));
      this.#frames.set(version, frame);
    }
    return frame;
  }

  *#newerThan(version: number): Iterable<Fragment> {
    for (const part of this.#parts.values()) {
      if (part.version > version) yield part.fragment;
    }
  }
}
