import type { Redis, RedisOptions } from 'ioredis';
import type { Order } from '../../domain/order.ts';
import type { PackageSnapshot } from '../../domain/travel-package.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observability/log.ts';
import type { LiveBus, LiveListener, QueueSnapshot } from '../live-bus.ts';
import { Coalescer } from './coalescer.ts';
import { decodeChanges, encodeChanges, isSentBy, type LiveChange } from './protocol.ts';

export interface RedisLiveBusOptions {
  /** The bus within this process; it is closed with this one. */
  readonly local: LiveBus;
  /** Opens a connection. Two are used: listening takes its own. */
  readonly connect: (purpose: string, options: RedisOptions) => Redis;
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The most changes that wait while Redis is away or slow; default 10,000. */
  readonly waitingMax?: number;
}

/** Pub/sub knows nothing of databases, so their number is in the channel's name. */
const channelOf = (redis: Redis) => `live:${redis.options.db ?? 0}`;

const tickMs = 20;
const itemsPerMessage = 1_000;
const patienceMs = 1_000;
/** A listener hears nothing of a connection that was cut silently: it asks now and then. */
const pingMs = 5_000;

/**
 * The live bus between instances, over Redis pub/sub. This process hears at once what it publishes; the others hear
 * every 20 ms of the newest state of each package, line and order. One message is under way at a time, so that a
 * slow Redis is told less, not later. What is published while Redis is away waits, up to a bound.
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
  #telling: Promise<void> | undefined;
  #misread = false;

  constructor(options: RedisLiveBusOptions) {
    this.#options = options;
    this.#waiting = new Coalescer(options.waitingMax ?? 10_000);
    const once: RedisOptions = { commandTimeout: patienceMs, maxRetriesPerRequest: 0 };
    this.#publisher = options.connect('live', { ...once, enableOfflineQueue: false });
    this.#subscriber = options.connect('live-listener', { ...once, autoResubscribe: false });
    this.#subscriber.on('message', (_channel, text) => this.#hear(text));
    this.#subscriber.on('ready', () => void this.#subscribe());
    void this.#keepListening();
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

  publishQueue(line: QueueSnapshot): void {
    this.#publish({ line });
  }

  subscribe(listener: LiveListener): () => void {
    return this.#options.local.subscribe(listener);
  }

  /** What still waits is told, if Redis answers. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#telling;
    this.#publisher.disconnect();
    this.#subscriber.disconnect();
    await this.#options.local.close();
  }

  #publish(item: LiveChange): void {
    if (this.#closing.signal.aborted) return;
    tell(this.#options.local, item);
    this.#waiting.add(item);
    this.#telling ??= this.#tellOthers().finally(() => {
      this.#telling = undefined;
    });
  }

  async #tellOthers(): Promise<void> {
    const { clock, log } = this.#options;
    while (this.#waiting.size > 0) {
      await clock.sleep(tickMs, this.#closing.signal);
      const told = this.#publisher.status === 'ready' && (await this.#tellSome());
      if (!told && this.#closing.signal.aborted) return;
      const dropped = this.#waiting.takeDropped();
      if (dropped > 0) log.debug({ dropped }, 'live changes were dropped: Redis is away or slow');
    }
  }

  /** True when Redis took it. What it did not take is lost: the next change says more. */
  async #tellSome(): Promise<boolean> {
    const { instance, log } = this.#options;
    const items = this.#waiting.take(itemsPerMessage);
    try {
      await this.#publisher.publish(channelOf(this.#publisher), encodeChanges(instance, items));
      return true;
    } catch (error) {
      log.debug(
        { err: error, items: items.length },
        'live changes may not have been told to other instances',
      );
      return false;
    }
  }

  async #subscribe(): Promise<void> {
    try {
      await this.#subscriber.subscribe(channelOf(this.#subscriber));
    } catch (error) {
      this.#options.log.warn({ err: error }, 'live changes of other instances cannot be heard');
      // A new connection tries again.
      if (!this.#closing.signal.aborted) this.#subscriber.disconnect(true);
    }
  }

  async #keepListening(): Promise<void> {
    const stop = this.#closing.signal;
    for (;;) {
      await this.#options.clock.sleep(pingMs, stop);
      if (stop.aborted) return;
      if (this.#subscriber.status !== 'ready') continue;
      await this.#subscriber.ping().catch(() => {
        if (!stop.aborted) this.#subscriber.disconnect(true);
      });
    }
  }

  #hear(text: string): void {
    if (isSentBy(this.#options.instance, text)) return;
    try {
      for (const item of decodeChanges(text)) tell(this.#options.local, item);
      this.#misread = false;
    } catch (error) {
      // One line for a whole series of them: a newer release may send many.
      if (!this.#misread)
        this.#options.log.warn({ err: error }, 'live changes cannot be read and are dropped');
      this.#misread = true;
    }
  }
}

function tell(bus: LiveBus, item: LiveChange): void {
  if ('order' in item) bus.publishOrder(item.order);
  else if ('line' in item) bus.publishQueue(item.line);
  else if ('removed' in item) bus.publishRemoved(item.removed.packageId);
  else bus.publishPackage(item.package);
}
