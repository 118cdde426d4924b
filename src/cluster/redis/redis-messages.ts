import type { Redis, RedisOptions } from 'ioredis';
import type { Clock } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';
import type { Random } from '../../lib/random.ts';
import type { Log } from '../../observability/log.ts';
import { type MessageOutcome, type Metrics, noMetrics } from '../../observability/metrics.ts';
import { InboxFullError, type Messages, MessagesUnavailableError, NoAnswerError } from '../messages.ts';
import { IncomingRequests, type RequestHandler } from './incoming-requests.ts';
import { Membership } from './membership.ts';
import { PendingRequests } from './pending-requests.ts';
import { type AnswerMessage, readAnswer, writeAnswer, writeRequest } from './protocol.ts';
import { RedisTime } from './redis-time.ts';
import { scriptsOn } from './scripts.ts';
import { SendQueue } from './send-queue.ts';
import { readTimeoutMs, StreamReader } from './stream-reader.ts';

export interface RedisMessagesOptions {
  /** Opens a connection. Two are used: reading blocks its own. */
  readonly connect: (purpose: string, options: RedisOptions) => Redis;
  readonly instance: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics?: Metrics;
  /** The most messages that may lie in an inbox; default 10,000. */
  readonly inboxMax?: number;
  /** The most requests that are handled at the same time; the others stay in the inbox. Default 10,000. */
  readonly handlingMax?: number;
  /** ms of silence after which an instance is gone; default 2,000. */
  readonly silenceMs?: number;
}

/** No answer of Redis within this time is none. */
const patienceMs = 1_000;
/** An inbox that nobody has sent to for so long is deleted with what is in it: nobody waits for that any more. */
const keepMs = 60_000;
/** How long closing waits for answers that are under way. */
const closeMs = 1_000;

const membersKey = 'instances';
const inboxOf = (instance: string) => `inbox:{${instance}}`;
const answersOf = (instance: string) => `answers:{${instance}}`;

/**
 * Messages over Redis streams: a bounded inbox of requests per instance, `inbox:{<instance>}`, and one of answers,
 * `answers:{<instance>}`. Requests of one tick travel together. All of it may be wiped at any time.
 */
export function redisMessages(options: RedisMessagesOptions): Messages {
  return new RedisMessages(options);
}

class RedisMessages implements Messages {
  readonly #options: RedisMessagesOptions;
  readonly #commands: Redis;
  readonly #reader: Redis;
  readonly #time: RedisTime;
  readonly #membership: Membership;
  readonly #outbox: SendQueue;
  readonly #requests: IncomingRequests;
  readonly #asks = new PendingRequests();
  readonly #closing = new AbortController();
  /** Makes ids unique over restarts of the same instance. */
  readonly #life: string;
  #asked = 0;
  #joined: Promise<void> | undefined;
  #available = false;

  constructor(options: RedisMessagesOptions) {
    const { connect, clock, log, random, instance, silenceMs = 2_000 } = options;
    const { inboxMax = 10_000, handlingMax = 10_000 } = options;
    this.#options = options;
    this.#life = Buffer.from(random.bytes(9)).toString('base64url');
    const once: RedisOptions = { enableOfflineQueue: false, maxRetriesPerRequest: 0 };
    this.#commands = connect('messages', { ...once, commandTimeout: patienceMs });
    this.#reader = connect('inbox', { ...once, commandTimeout: readTimeoutMs });
    const scripts = scriptsOn(this.#commands);
    const onContact = (reached: boolean) => {
      this.#available = reached && this.#commands.status === 'ready';
    };
    this.#time = new RedisTime(clock);
    this.#outbox = new SendQueue({ scripts, entriesMax: inboxMax, keepMs, onContact });
    const time = this.#time;
    this.#membership = new Membership({
      scripts,
      key: membersKey,
      instance,
      silenceMs,
      time,
      clock,
      log,
      onContact,
    });
    this.#requests = new IncomingRequests({
      time,
      log,
      handlingMax,
      reply: (to, answer) => this.#reply(to, answer),
    });
    options.metrics?.gauge('inbox_messages', () => this.#commands.xlen(inboxOf(instance)));
    this.#commands.on('close', () => onContact(false));
    this.#commands.on('ready', () => this.#membership.hurry());
  }

  get available(): boolean {
    return this.#available;
  }

  members(): readonly string[] {
    return this.#membership.members;
  }

  onMembers(listener: (members: readonly string[]) => void): () => void {
    return this.#membership.onChange(listener);
  }

  serve(handler: RequestHandler): void {
    this.#requests.handler = handler;
  }

  join(): Promise<void> {
    this.#joined ??= this.#begin();
    return this.#joined;
  }

  /** Returns once this instance is announced, or once that failed: then it goes on trying. */
  async #begin(): Promise<void> {
    const { clock, log, instance } = this.#options;
    const stop = this.#closing.signal;
    const connected = Promise.all([firstReady(this.#commands), firstReady(this.#reader)]);
    await Promise.race([connected, clock.sleep(patienceMs, stop)]);
    const requests = this.#requests;
    const sources = [
      { stream: answersOf(instance), open: () => true, take: (text: string) => this.#takeAnswer(text) },
      {
        stream: inboxOf(instance),
        open: () => requests.isOpen(),
        take: (text: string) => requests.take(text),
      },
    ];
    void new StreamReader({ redis: this.#reader, sources, clock, log }).run(stop);
    await this.#membership.start(stop);
  }

  async ask(to: string, request: Json, timeoutMs: number): Promise<Json> {
    const { metrics = noMetrics } = this.#options;
    try {
      const answer = await this.#ask(to, request, timeoutMs);
      metrics.message('answered');
      return answer;
    } catch (error) {
      metrics.message(endOf(error));
      throw error;
    }
  }

  async #ask(to: string, request: Json, timeoutMs: number): Promise<Json> {
    if (this.#closing.signal.aborted || this.#joined === undefined) {
      throw new MessagesUnavailableError('messages go from join to close only');
    }
    const until = this.#time.now() + timeoutMs;
    const id = `${this.#life}-${++this.#asked}`;
    const answer = this.#asks.wait(id, timeoutMs);
    this.#send(to, { id, from: this.#options.instance, until, body: request }).catch((error) =>
      this.#asks.fail(id, error as Error),
    );
    return answer;
  }

  async #send(to: string, request: Parameters<typeof writeRequest>[0]): Promise<void> {
    if (!(await this.#membership.has(to))) {
      if (!this.#available) throw new MessagesUnavailableError('Redis does not answer');
      throw new NoAnswerError(`there is no instance ${to}`);
    }
    const stale = () => !this.#asks.has(request.id);
    await this.#outbox.send(inboxOf(to), writeRequest(request), stale);
  }

  #takeAnswer(text: string): void {
    const answer = readAnswer(text);
    if ('body' in answer) return this.#asks.answer(answer.id, answer.body);
    const why = 'why' in answer ? answer.why : answer.refused;
    if ('why' in answer) this.#options.log.warn({ why }, 'an answer from another instance cannot be read');
    if (answer.id !== undefined)
      this.#asks.fail(answer.id, new NoAnswerError(`the receiver gave none: ${why}`));
  }

  #reply(to: string, answer: AnswerMessage): void {
    this.#outbox.send(answersOf(to), writeAnswer(answer)).catch((error: unknown) => {
      this.#options.log.warn({ to, err: error }, 'an answer could not be sent: its asker will ask again');
    });
  }

  async leave(): Promise<void> {
    if (this.#joined === undefined) return;
    await this.#joined;
    await this.#membership.leave(() => this.#commands.zrem(membersKey, this.#options.instance));
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    await this.leave();
    await this.#settle();
    this.#closing.abort();
    this.#asks.failAll(new MessagesUnavailableError('messages are closed'));
    this.#commands.disconnect();
    this.#reader.disconnect();
    this.#available = false;
  }

  /** Lets answers under way go out, if that does not take long. */
  async #settle(): Promise<void> {
    const { clock } = this.#options;
    const until = clock.now() + closeMs;
    const busy = () => this.#requests.handling > 0 || !this.#outbox.isEmpty;
    while (this.#available && busy() && clock.now() < until) await clock.sleep(5);
  }
}

function endOf(error: unknown): MessageOutcome {
  if (error instanceof InboxFullError) return 'inbox_full';
  return error instanceof NoAnswerError ? 'no_answer' : 'unavailable';
}

function firstReady(redis: Redis): Promise<void> {
  return new Promise((resolve) => {
    if (redis.status === 'ready') return resolve();
    redis.once('ready', () => resolve());
    redis.once('close', () => resolve());
  });
}
