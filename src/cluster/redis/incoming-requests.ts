import type { Json } from '../../lib/json.ts';
import type { Log } from '../../observability/log.ts';
import { type AnswerMessage, type RequestMessage, readRequest } from './protocol.ts';
import type { RedisTime } from './redis-time.ts';

export type RequestHandler = (request: Json, from: string) => Promise<Json>;

export interface IncomingRequestsOptions {
  readonly time: RedisTime;
  readonly log: Log;
  /** The most requests that are handled at the same time. */
  readonly handlingMax: number;
  readonly reply: (to: string, answer: AnswerMessage) => void;
}

/** How many requests are remembered before those are forgotten whose time is up. */
const seenMin = 1_000;

/** Hands requests to the handler: each once, and only while its sender waits. */
export class IncomingRequests {
  readonly #options: IncomingRequestsOptions;
  /** Until when each request is waited for. */
  readonly #seen = new Map<string, number>();
  #forgetAt = seenMin;
  #handling = 0;
  handler: RequestHandler | undefined;

  constructor(options: IncomingRequestsOptions) {
    this.#options = options;
  }

  get handling(): number {
    return this.#handling;
  }

  /** Whether another one may come. */
  isOpen(): boolean {
    return this.handler !== undefined && this.#handling < this.#options.handlingMax;
  }

  take(text: string): void {
    const { time, log, reply } = this.#options;
    const request = readRequest(text);
    if ('why' in request) {
      log.warn({ from: request.from, why: request.why }, 'a request from another instance cannot be read');
      if (request.id !== undefined && request.from !== undefined) {
        reply(request.from, { id: request.id, refused: request.why });
      }
    } else if (request.until > time.now() && this.#isNew(request)) void this.#handle(request);
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
    if (this.#seen.size >= this.#forgetAt) this.#forget();
    this.#seen.set(id, until);
    return true;
  }

  /** Those whose time is up would not be handed over again anyway. */
  #forget(): void {
    const now = this.#options.time.now();
    for (const [id, until] of this.#seen) if (until <= now) this.#seen.delete(id);
    this.#forgetAt = Math.max(seenMin, this.#seen.size * 2);
  }
}
