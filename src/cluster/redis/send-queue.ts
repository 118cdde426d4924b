import { Batcher } from '../../lib/batcher.ts';
import { InboxFullError, MessagesUnavailableError } from '../messages.ts';
import { writeFrame } from './protocol.ts';
import type { Scripts } from './scripts.ts';

export interface StreamSendQueueOptions {
  readonly scripts: Pick<Scripts, 'send'>;
  /** The most unread entries in a stream, and also the most messages that wait here for one stream. */
  readonly entriesMax: number;
  /** Whether the reader of a stream understands frames. Else each message becomes an entry. */
  readonly readsFrames: (stream: string) => boolean;
  /** ms after the last message until Redis deletes a stream that nobody reads. */
  readonly keepMs: number;
  /** Called after each call to Redis with whether Redis answered. */
  readonly onContact: (reached: boolean) => void;
}

interface Envelope {
  readonly text: string;
  /** Whether the message is stale: no caller waits for its answer any more. */
  readonly isStale: () => boolean;
}

/** The limits of one call to Redis. */
const batchMax = 500;
const batchCharsMax = 1_000_000;
/** A frame is closed at this length, so that a full stream has a bounded size. A single message may be longer. */
const frameCharsMax = 16_384;

/**
 * Sends messages to streams, in sequence for each stream. While a call to Redis is under way, further messages gather
 * for the next call, so the batch size follows the load. Messages of one call share entries of the stream, as frames.
 */
export class StreamSendQueue {
  readonly #options: StreamSendQueueOptions;
  readonly #streams = new Map<string, Batcher<Envelope, void>>();

  constructor(options: StreamSendQueueOptions) {
    this.#options = options;
  }

  /** True if no message waits to be sent or is being sent. */
  get isEmpty(): boolean {
    return this.#streams.size === 0;
  }

  /**
   * Resolves when Redis has stored the message, or when it was dropped as stale.
   * @throws InboxFullError when the stream is full; the message was not sent.
   * @throws MessagesUnavailableError when Redis did not answer; the message may have been sent.
   */
  async send(stream: string, text: string, isStale = () => false): Promise<void> {
    const waiting = this.#streams.get(stream);
    if (waiting !== undefined && waiting.size >= this.#options.entriesMax) {
      throw new InboxFullError(`too many messages wait to be sent to ${stream}`);
    }
    const batcher = waiting ?? this.#batcher(stream);
    const sent = batcher.add({ text, isStale });
    if (waiting === undefined) void this.#removeWhenIdle(stream, batcher);
    return sent;
  }

  #batcher(stream: string): Batcher<Envelope, void> {
    const batcher = new Batcher<Envelope, void>({
      run: (batch) => this.#deliver(stream, batch),
      weigh: ({ text }) => Math.max(text.length, batchCharsMax / batchMax),
      weightMax: batchCharsMax,
      // Messages of the same turn of the event loop are sent together.
      schedule: (begin) => setImmediate(begin),
    });
    this.#streams.set(stream, batcher);
    return batcher;
  }

  async #removeWhenIdle(stream: string, batcher: Batcher<Envelope, void>): Promise<void> {
    while (batcher.size > 0) await batcher.idle();
    this.#streams.delete(stream);
  }

  async #deliver(stream: string, batch: readonly Envelope[]): Promise<(Error | undefined)[]> {
    const { scripts, entriesMax, keepMs, readsFrames, onContact } = this.#options;
    const fresh = batch.filter(({ isStale }) => !isStale());
    if (fresh.length === 0) return [];
    const frames = framesOf(fresh, readsFrames(stream) ? frameCharsMax : 0);
    const entries = frames.map((frame) => writeFrame(frame.map(({ text }) => text)));
    try {
      const stored = await scripts.send(stream, entriesMax, keepMs, entries);
      onContact(true);
      const refused = new Set(frames.slice(stored).flat());
      return batch.map((each) => (refused.has(each) ? new InboxFullError(`${stream} is full`) : undefined));
    } catch (cause) {
      onContact(false);
      throw new MessagesUnavailableError('Redis does not take messages', { cause });
    }
  }
}

/** Divides messages into runs of this length at most. Each run has at least one message. */
function framesOf(messages: readonly Envelope[], charsMax: number): Envelope[][] {
  const frames: Envelope[][] = [];
  let frame: Envelope[] = [];
  let chars = 0;
  for (const message of messages) {
    chars += message.text.length;
    if (frame.length === 0 || chars > charsMax) {
      frame = [];
      frames.push(frame);
      chars = message.text.length;
    }
    frame.push(message);
  }
  return frames;
}
