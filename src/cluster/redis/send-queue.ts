import { InboxFullError, MessagesUnavailableError } from '../messages.ts';
import type { Scripts } from './scripts.ts';

export interface SendQueueOptions {
  readonly scripts: Pick<Scripts, 'send'>;
  /** The most messages that may lie unread in a stream, or wait here for one. */
  readonly entriesMax: number;
  /** ms after which a stream that nobody reads is deleted. */
  readonly keepMs: number;
  /** Tells whether Redis answered. */
  readonly onContact: (reached: boolean) => void;
}

interface Envelope {
  readonly text: string;
  /** Nobody waits for it any more. */
  readonly stale: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Lane {
  readonly stream: string;
  readonly waiting: Envelope[];
  /** How many are on their way. */
  sending: number;
}

/** Messages of one call at most, in number and in characters. */
const batchMax = 500;
const batchCharsMax = 1_000_000;

/**
 * Sends messages to streams, in their order. While one call is on its way to Redis the next messages gather, so a
 * call takes as many as the load brings.
 */
export class SendQueue {
  readonly #options: SendQueueOptions;
  readonly #lanes = new Map<string, Lane>();

  constructor(options: SendQueueOptions) {
    this.#options = options;
  }

  /** Whether everything was sent. */
  get isEmpty(): boolean {
    return this.#lanes.size === 0;
  }

  /**
   * Resolves when Redis has it, or when it was not sent because nobody waits for it any more.
   * @throws InboxFullError when the stream takes no more: it was not sent.
   * @throws MessagesUnavailableError when Redis did not answer: it may have been sent.
   */
  send(stream: string, text: string, stale = () => false): Promise<void> {
    return new Promise((resolve, reject) => {
      const lane = this.#lane(stream);
      if (lane.waiting.length + lane.sending >= this.#options.entriesMax) {
        reject(new InboxFullError(`too much waits to be sent to ${stream}`));
      } else lane.waiting.push({ text, stale, resolve, reject });
    });
  }

  #lane(stream: string): Lane {
    let lane = this.#lanes.get(stream);
    if (lane === undefined) {
      lane = { stream, waiting: [], sending: 0 };
      this.#lanes.set(stream, lane);
      // What else comes in this tick goes with it.
      setImmediate((opened) => void this.#empty(opened), lane);
    }
    return lane;
  }

  async #empty(lane: Lane): Promise<void> {
    while (lane.waiting.length > 0) {
      const batch = takeBatch(lane.waiting);
      lane.sending = batch.length;
      if (batch.length > 0) await this.#deliver(lane.stream, batch);
      lane.sending = 0;
    }
    this.#lanes.delete(lane.stream);
  }

  async #deliver(stream: string, batch: readonly Envelope[]): Promise<void> {
    const { scripts, entriesMax, keepMs, onContact } = this.#options;
    const texts = batch.map(({ text }) => text);
    try {
      const taken = await scripts.send(stream, entriesMax, keepMs, texts);
      onContact(true);
      for (const letter of batch.slice(0, taken)) letter.resolve();
      for (const letter of batch.slice(taken)) letter.reject(new InboxFullError(`${stream} is full`));
    } catch (error) {
      onContact(false);
      const unavailable = new MessagesUnavailableError('Redis does not take messages', { cause: error });
      for (const letter of batch) letter.reject(unavailable);
    }
  }
}

/** Takes the first ones out of what waits, and lets go of those that nobody waits for. */
function takeBatch(waiting: Envelope[]): Envelope[] {
  const batch: Envelope[] = [];
  let chars = 0;
  let looked = 0;
  for (const letter of waiting) {
    if (batch.length >= batchMax || chars >= batchCharsMax) break;
    looked++;
    if (letter.stale()) letter.resolve();
    else {
      batch.push(letter);
      chars += letter.text.length;
    }
  }
  waiting.splice(0, looked);
  return batch;
}
