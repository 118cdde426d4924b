import { envelope, type Fragment } from './envelope.ts';
import type { Topic } from './topic.ts';
import type { Viewer } from './viewer.ts';

/** A viewer's place in a channel. */
export interface Subscription {
  readonly viewer: Viewer;
  readonly topic: Topic;
  readonly channel: Channel;
  /** The channel's version that the viewer was last brought to; 0 is nothing yet. */
  version: number;
  /** ms since the epoch. */
  sentAt: number;
  /** Since when the viewer has been too slow; undefined while it keeps up. */
  laggingSince: number | undefined;
}

interface Part {
  readonly fragment: Fragment;
  /** The channel's version that brought it. */
  readonly version: number;
}

/**
 * The newest state of a topic, in parts, and who watches it. Each `put` makes a new version; a viewer at version v
 * needs exactly the parts that are newer than v. So a newcomer gets everything, somebody who skipped a hundred
 * versions gets one message, and nothing is kept per viewer but a number.
 */
export class Channel {
  readonly subscriptions = new Set<Subscription>();
  readonly #parts = new Map<string, Part>();
  /** Frames of the present version by the version they start from: all at the same version share one. */
  readonly #frames = new Map<number, Buffer>();
  #version = 0;

  get version(): number {
    return this.#version;
  }

  put(fragments: readonly Fragment[]): void {
    if (fragments.length === 0) return;
    this.#version++;
    this.#frames.clear();
    for (const fragment of fragments) {
      this.#parts.set(fragment.rootId, { fragment, version: this.#version });
    }
  }

  /** Removes a fragment: later viewers do not get it, present ones keep what they have. */
  remove(rootId: string): void {
    if (this.#parts.delete(rootId)) this.#frames.clear();
  }

  /** The frame that brings a viewer from this version to the present one; not to be asked when it is there already. */
  frameSince(version: number): Buffer {
    let frame = this.#frames.get(version);
    if (frame === undefined) {
      frame = envelope(this.#newerThan(version));
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
