import type { Redis, RedisOptions } from 'ioredis';
import type { Order } from '../../domain/order.ts';
import type { PackageSnapshot } from '../../domain/travel-package.ts';
import type { Clock } from '../../lib/clock.ts';
import { LogOnce } from '../../lib/log-once.ts';
import type { Log } from '../../observability/log.ts';
import type { LiveBus, LiveListener, QueueSnapshot } from '../live-bus.ts';
import { Coalescer } from './coalescer.ts';
import { decodeChanges, encodeChanges, isSentBy, type LiveChange } from './protocol.ts';

export interface RedisLiveBusOptions {
  /** The bus within this process. Closing the Redis bus closes the local bus too. */
  readonly local: LiveBus;
  /** Opens a connection. The bus opens two, because Redis allows no other commands on a subscriber's connection. */
  readonly connect: (purpose: string, options: RedisOptions) => Redis;
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The most changes that wait while Redis is slow or unreachable; default 10,000. */
  readonly waitingMax?: number;
}

/** Pub/sub ignores the database number, so the channel's name contains this number. */
const channelOf = (redis: Redis) => `live:${redis.options.db ?? 0}`;

const sendEveryMs = 20;
const changesPerMessage = 1_000;
const commandTimeoutMs = 1_000;
/** How often the subscriber's connection is checked, because a connection can break without an event. */
const pingEveryMs = 5_000;

/**
 * The live bus between instances, over Redis pub/sub. Listeners in this process are called at once. The other instances
 * get the newest state of each package, queue and order every 20 ms. Only one message is under way at a time, so a slow
 * Redis gets fewer messages, but no outdated ones. While Redis is unreachable, a bounded number of changes waits.
 */
export function redisLiveBus(options: RedisLiveBusOptions): LiveBus {
  return new RedisLiveBus(options);
}

class RedisLiveBus implements LiveBus {
  readonly #options: RedisLiveBusOptions;
  readonly #publisher: Redis;
  readonly #subscriber: Redis;
  readonly #waiting: Coalescer;
  readonly #closing = new AbortController();
  readonly #unreadable = new LogOnce();
  #sending: Promise<void> | undefined;

  constructor(options: RedisLiveBusOptions) {
    this.#options = options;
    this.#waiting = new Coalescer(options.waitingMax ?? 10_000);
    const failFast: RedisOptions = { commandTimeout: commandTimeoutMs, maxRetriesPerRequest: 0 };
    this.#publisher = options.connect('live', { ...failFast, enableOfflineQueue: false });
    this.#subscriber = options.connect('live-listener', { ...failFast, autoResubscribe: false });
    this.#subscriber.on('message', (_channel, text) => this.#receive(text));
    this.#subscriber.on('ready', () => void this.#subscribe());
    void this.#checkSubscriber();
  }

  publishPackage(snapshot: PackageSnapshot): void {
    this.#publish({ package: snapshot });
  }

  publishRemoved(packageId: number): void {
    this.#publish({ removed: { packageId } });
  }

  publishOrder(order: Order): void {
    this.#publish({ order });
  }

  publishQueue(queue: QueueSnapshot): void {
    this.#publish({ queue });
  }

  subscribe(listener: LiveListener): () => void {
    return this.#options.local.subscribe(listener);
  }

  /** Closes the bus. If Redis answers, waiting changes are sent first. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#sending;
    this.#publisher.disconnect();
    this.#subscriber.disconnect();
    await this.#options.local.close();
  }

  #publish(change: LiveChange): void {
    if (this.#closing.signal.aborted) return;
    publishTo(this.#options.local, change);
    this.#waiting.add(change);
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  async #sendAll(): Promise<void> {
    const { clock, log } = this.#options;
    while (this.#waiting.size > 0) {
      await clock.sleep(sendEveryMs, this.#closing.signal);
      const isSent = this.#publisher.status === 'ready' && (await this.#sendSome());
      if (!isSent && this.#closing.signal.aborted) return;
      const dropped = this.#waiting.takeDropped();
      if (dropped > 0) log.debug({ dropped }, 'live changes were dropped: Redis is away or slow');
    }
  }

  /** Sends one message. Returns whether Redis has accepted it. Otherwise the changes in the message are lost. */
  async #sendSome(): Promise<boolean> {
    const { instance, log } = this.#options;
    const changes = this.#waiting.take(changesPerMessage);
    try {
      await this.#publisher.publish(channelOf(this.#publisher), encodeChanges(instance, changes));
      return true;
    } catch (err) {
      const fields = { err, items: changes.length };
      log.debug(fields, 'live changes may not have been told to other instances');
      return false;
    }
  }

  async #subscribe(): Promise<void> {
    try {
      await this.#subscriber.subscribe(channelOf(this.#subscriber));
    } catch (err) {
      this.#options.log.warn({ err }, 'live changes of other instances cannot be heard');
      // The next connection subscribes again.
      if (!this.#closing.signal.aborted) this.#subscriber.disconnect(true);
    }
  }

  async #checkSubscriber(): Promise<void> {
    const stop = this.#closing.signal;
    for (;;) {
      await this.#options.clock.sleep(pingEveryMs, stop);
      if (stop.aborted) return;
      if (this.#subscriber.status !== 'ready') continue;
      await this.#subscriber.ping().catch(() => {
        if (!stop.aborted) this.#subscriber.disconnect(true);
      });
    }
  }

  #receive(text: string): void {
    const { instance, local, log } = this.#options;
    if (isSentBy(instance, text)) return;
    let problem: unknown;
    try {
      const changes = decodeChanges(text, (error) => {
        problem = error;
      });
      for (const change of changes) publishTo(local, change);
    } catch (error) {
      problem = error;
    }
    if (problem === undefined) this.#unreadable.end();
    // Log once, because a newer release may send many such messages.
    else
      this.#unreadable.report('unreadable', () =>
        log.warn({ err: problem }, 'live changes cannot be read and are dropped'),
      );
  }
}

function publishTo(bus: LiveBus, change: LiveChange): void {
  if ('order' in change) bus.publishOrder(change.order);
  else if ('queue' in change) bus.publishQueue(change.queue);
  else if ('removed' in change) bus.publishRemoved(change.removed.packageId);
  else bus.publishPackage(change.package);
}
