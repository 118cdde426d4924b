import type { Redis, RedisOptions } from 'ioredis';
import type { Clock } from '../../lib/clock.ts';
import { settlesWithin, startTimer } from '../../lib/deadline.ts';
import type { Json } from '../../lib/json.ts';
import type { Random } from '../../lib/random.ts';
import type { Log } from '../../observability/log.ts';
import { type Metrics, noMetrics } from '../../observability/metrics.ts';
import {
  InboxFullError,
  type Messages,
  MessagesUnavailableError,
  NoAnswerError,
  type RequestHandler,
} from '../messages.ts';
import { firstAttempt } from './connector.ts';
import { IncomingRequests } from './incoming-requests.ts';
import { Membership } from './membership.ts';
import { type AnswerMessage, messagesIn, readAnswer, writeAnswer, writeRequest } from './protocol.ts';
import { RedisTime } from './redis-time.ts';
import { scriptsOn } from './scripts.ts';
import { StreamSendQueue } from './send-queue.ts';
import { readTimeoutMs, StreamReader } from './stream-reader.ts';

export interface RedisMessagesOptions {
  /** Opens a connection. Two connections are opened, because reading blocks a connection. */
  readonly connect: (purpose: string, options: RedisOptions) => Redis;
  readonly instance: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics?: Metrics;
  /** The most entries in an inbox, each a message or a frame of them; default 10,000. */
  readonly inboxMax?: number;
  /**
   * While this many requests are being handled, the inbox is not read; default 10,000. The requests of one read may
   * exceed it.
   */
  readonly handlingMax?: number;
  /** ms without an announcement after which an instance is no longer a member; default 2,000. */
  readonly silenceMs?: number;
  /** Called when another process has become a member under the id of this instance: this one must end. */
  readonly onDuplicate?: () => void;
}

const commandTimeoutMs = 1_000;
/** How long an inbox is kept after the last message to it. No sender waits longer than this. */
const keepMs = 60_000;
/** How long `close` waits for answers that are under way. */
const closeTimeoutMs = 1_000;

const membershipKeys = { members: 'instances', incarnations: 'incarnations:{instances}' };
const inboxOf = (instance: string) => `inbox:{${instance}}`;
const answersOf = (instance: string) => `answers:{${instance}}`;
const readerOf = (stream: string) => stream.slice(stream.indexOf('{') + 1, -1);

/**
 * Messages over Redis streams. Each instance has two bounded streams: `inbox:{<instance>}` with the requests to it,
 * and `answers:{<instance>}` with the answers. Messages of one turn of the event loop to the same instance are sent
 * together, as one frame. An instance gets frames once its own messages have said that it reads them. Redis may lose both
 * streams at any time.
 */
export function redisMessages(options: RedisMessagesOptions): Messages {
  return new RedisMessages(options);
}

interface PendingRequest {
  /** The instance that was asked. */
  readonly to: string;
  readonly resolve: (answer: Json) => void;
  readonly reject: (error: Error) => void;
}

class RedisMessages implements Messages {
  readonly #options: RedisMessagesOptions;
  readonly #commands: Redis;
  readonly #reader: Redis;
  readonly #time: RedisTime;
  readonly #membership: Membership;
  readonly #sendQueue: StreamSendQueue;
  readonly #incoming: IncomingRequests;
  /** Requests that wait for their answers, by id. */
  readonly #pending = new Map<string, PendingRequest>();
  /** The instances that read frames, as far as their messages have said so. */
  readonly #frameReaders = new Set<string>();
  readonly #closing = new AbortController();
  /** Keeps request ids unique if an instance restarts under the same name. */
  readonly #idPrefix: string;
  #requestCount = 0;
  #joined: Promise<void> | undefined;
  #available = false;

  constructor(options: RedisMessagesOptions) {
    const { connect, clock, log, random, instance, silenceMs = 2_000 } = options;
    const { inboxMax = 10_000, handlingMax = 10_000 } = options;
    this.#options = options;
    this.#idPrefix = Buffer.from(random.bytes(9)).toString('base64url');
    const failFast: RedisOptions = { enableOfflineQueue: false, maxRetriesPerRequest: 0 };
    this.#commands = connect('messages', { ...failFast, commandTimeout: commandTimeoutMs });
    this.#reader = connect('inbox', { ...failFast, commandTimeout: readTimeoutMs });
    const scripts = scriptsOn(this.#commands);
    const onContact = (reached: boolean) => {
      this.#available = reached && this.#commands.status === 'ready';
    };
    const time = new RedisTime(clock);
    this.#time = time;
    const readsFrames = (stream: string) => this.#frameReaders.has(readerOf(stream));
    this.#sendQueue = new StreamSendQueue({ scripts, entriesMax: inboxMax, keepMs, readsFrames, onContact });
    const { onDuplicate = () => {} } = options;
    this.#membership = new Membership({
      ...{ scripts, keys: membershipKeys, silenceMs, time, clock, log, onContact },
      announcer: { instance, incarnation: this.#idPrefix },
      onTaken: onDuplicate,
    });
    const reply = (to: string, answer: AnswerMessage) => this.#reply(to, answer);
    const onSender = (from: string, readsFrames: boolean) => this.#noteFrames(from, readsFrames);
    this.#incoming = new IncomingRequests({ time, log, handlingMax, reply, onSender });
    options.metrics?.gauge('inbox_messages', () => this.#commands.xlen(inboxOf(instance)));
    this.#commands.on('close', () => onContact(false));
    this.#commands.on('ready', () => this.#membership.refreshSoon());
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
    this.#incoming.handler = handler;
  }

  /** Resolves after the first announcement, even if it failed. Later announcements follow by themselves. */
  join(): Promise<void> {
    this.#joined ??= this.#join();
    return this.#joined;
  }

  async #join(): Promise<void> {
    const { clock, log, instance } = this.#options;
    const stop = this.#closing.signal;
    const connected = Promise.all([firstAttempt(this.#commands), firstAttempt(this.#reader)]);
    await settlesWithin(commandTimeoutMs, connected, clock);
    const incoming = this.#incoming;
    const sources = [
      {
        stream: answersOf(instance),
        isOpen: () => true,
        take: (text: string) => {
          for (const message of messagesIn(text)) this.#takeAnswer(message);
        },
      },
      {
        stream: inboxOf(instance),
        isOpen: () => incoming.isOpen(),
        take: (text: string) => incoming.take(text),
      },
    ];
    await this.#membership.start(stop);
    // After the admission, because the inbox belongs to the process that is a member.
    void new StreamReader({ redis: this.#reader, sources, clock, log }).run(stop);
  }

  async ask(to: string, request: Json, timeoutMs: number): Promise<Json> {
    const { metrics = noMetrics } = this.#options;
    try {
      const answer = await this.#ask(to, request, timeoutMs);
      metrics.message('answered');
      return answer;
    } catch (error) {
      if (error instanceof InboxFullError) metrics.message('inbox_full');
      else metrics.message(error instanceof NoAnswerError ? 'no_answer' : 'unavailable');
      throw error;
    }
  }

  async #ask(to: string, body: Json, timeoutMs: number): Promise<Json> {
    if (this.#closing.signal.aborted || this.#joined === undefined) {
      throw new MessagesUnavailableError('messages are sent only between join and close');
    }
    const until = this.#time.now() + timeoutMs;
    const id = `${this.#idPrefix}-${++this.#requestCount}`;
    const text = writeRequest({ id, from: this.#options.instance, until, body });
    const { promise, resolve, reject } = Promise.withResolvers<Json>();
    this.#pending.set(id, { to, resolve, reject });
    this.#send(to, id, text).catch(reject);
    const clearTimer = startTimer(timeoutMs, undefined, () => {
      // Another release may have been started under the same name, and not understand a frame.
      this.#noteFrames(to, false);
      reject(new NoAnswerError(`no answer within ${timeoutMs} ms`));
    });
    try {
      return await promise;
    } finally {
      clearTimer();
      this.#pending.delete(id);
    }
  }

  async #send(to: string, id: string, text: string): Promise<void> {
    if (!(await this.#membership.has(to))) {
      if (!this.#available) throw new MessagesUnavailableError('Redis does not answer');
      throw new NoAnswerError(`there is no instance ${to}`);
    }
    await this.#sendQueue.send(inboxOf(to), text, () => !this.#pending.has(id));
  }

  #takeAnswer(message: unknown): void {
    const answer = readAnswer(message);
    const pending = this.#pending.get(answer.id ?? '');
    if (pending !== undefined && !('why' in answer)) this.#noteFrames(pending.to, answer.frames === true);
    if ('body' in answer) return pending?.resolve(answer.body);
    const why = 'why' in answer ? answer.why : answer.refused;
    if ('why' in answer) this.#options.log.warn({ why }, 'an answer from another instance cannot be read');
    pending?.reject(new NoAnswerError(`the receiver refused to answer: ${why}`));
  }

  #noteFrames(instance: string, readsFrames: boolean): void {
    if (readsFrames) this.#frameReaders.add(instance);
    else this.#frameReaders.delete(instance);
  }

  #reply(to: string, answer: AnswerMessage): void {
    this.#sendQueue.send(answersOf(to), writeAnswer(answer)).catch((err: unknown) => {
      this.#options.log.warn({ to, err }, 'an answer could not be sent: its asker will ask again');
    });
  }

  async leave(): Promise<void> {
    if (this.#joined === undefined) return;
    // An instance that was refused has nothing to remove.
    await this.#joined.catch(() => {});
    await this.#membership.leave();
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    await this.leave();
    await this.#sendPending();
    this.#closing.abort();
    const closed = new MessagesUnavailableError('messages are closed');
    for (const { reject } of this.#pending.values()) reject(closed);
    this.#commands.disconnect();
    this.#reader.disconnect();
    this.#available = false;
  }

  /** Waits for requests that are being handled and answers that wait to be sent, up to a limit. */
  async #sendPending(): Promise<void> {
    const { clock } = this.#options;
    const until = clock.monotonic() + closeTimeoutMs;
    const isBusy = () => this.#incoming.handling > 0 || !this.#sendQueue.isEmpty;
    while (this.#available && isBusy() && clock.monotonic() < until) await clock.sleep(5);
  }
}
