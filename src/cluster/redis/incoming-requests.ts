import type { Log } from '../../observability/log.ts';
import type { RequestHandler } from '../messages.ts';
import { type AnswerMessage, messagesIn, type RequestMessage, readRequest } from './protocol.ts';
import type { RedisTime } from './redis-time.ts';

export interface IncomingRequestsOptions {
  readonly time: RedisTime;
  readonly log: Log;
  /** The most requests that are handled concurrently. */
  readonly handlingMax: number;
  readonly reply: (to: string, answer: AnswerMessage) => void;
  /** Is told with each request whether its sender reads frames. */
  readonly onSender?: (from: string, readsFrames: boolean) => void;
}

/** Expired ids are removed only while more ids than this are remembered. */
const seenMin = 1_000;

/** Passes each request to the handler once, and only while the sender still waits. */
export class IncomingRequests {
  readonly #options: IncomingRequestsOptions;
  /** The time until which the sender waits for an answer, by request id. */
  readonly #seen = new Map<string, number>();
  #pruneAtSize = seenMin;
  #handling = 0;
  handler: RequestHandler | undefined;

  constructor(options: IncomingRequestsOptions) {
    this.#options = options;
  }

  /** How many requests are being handled. */
  get handling(): number {
    return this.#handling;
  }

  /** Whether another request can be handled now. */
  isOpen(): boolean {
    return this.handler !== undefined && this.#handling < this.#options.handlingMax;
  }

  /**
   * Handles the requests in a text, each only if it is new and its sender still waits. Call only while `isOpen`.
   */
  take(text: string): void {
    for (const message of messagesIn(text)) this.#take(message);
  }

  #take(message: unknown): void {
    const { time, log, reply, onSender } = this.#options;
    const request = readRequest(message);
    if ('why' in request) {
      const { id, from, why } = request;
      log.warn({ from, why }, 'a request from another instance cannot be read');
      if (id !== undefined && from !== undefined) reply(from, { id, refused: why });
      return;
    }
    onSender?.(request.from, request.frames === true);
    if (request.until > time.now() && this.#isNew(request)) void this.#handle(request);
  }

  async #handle({ id, from, body }: RequestMessage): Promise<void> {
    const { log, reply } = this.#options;
    this.#handling++;
    try {
      reply(from, { id, body: await (this.handler as RequestHandler)(body, from) });
    } catch (error) {
      log.error({ from, err: error }, 'a request from another instance failed');
      reply(from, { id, refused: 'its handling failed' });
    } finally {
      this.#handling--;
    }
  }

  #isNew({ id, until }: RequestMessage): boolean {
    if (this.#seen.has(id)) return false;
    if (this.#seen.size >= this.#pruneAtSize) this.#prune();
    this.#seen.set(id, until);
    return true;
  }

  /** Forgets the ids of expired requests, because a repeated expired request is ignored in any case. */
  #prune(): void {
    const now = this.#options.time.now();
    for (const [id, until] of this.#seen) if (until <= now) this.#seen.delete(id);
    this.#pruneAtSize = Math.max(seenMin, this.#seen.size * 2);
  }
}
