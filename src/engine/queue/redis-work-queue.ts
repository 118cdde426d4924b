import type { Redis, RedisOptions } from 'ioredis';
import type { WorkQueue } from './work-queue.ts';

export interface RedisListOptions {
  /**
   * Opens a connection. Pops have a connection of their own, because a pop blocks it. The first pop opens this
   * connection.
   */
  readonly connect: (purpose: string, options: RedisOptions) => Redis;
}

const key = 'orders:queued';
/** Timeout of a Redis command. */
const timeoutMs = 1_000;
/** Longest timeout of a pop. */
const popMaxMs = 5_000;

/** A work queue on a Redis list: LPUSH at one end, BRPOP at the other. */
export function redisList({ connect }: RedisListOptions): WorkQueue {
  const once: RedisOptions = {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  };
  const pusher = connect('work', { ...once, commandTimeout: timeoutMs, enableAutoPipelining: true });
  let popper: Redis | undefined;

  /** Waits until the connection is ready, so that the first pop after the start does not fail. */
  async function popping(): Promise<Redis> {
    popper ??= connect('work-pop', { ...once, commandTimeout: popMaxMs + timeoutMs });
    if (popper.status !== 'ready' && popper.status !== 'end') await contact(popper);
    return popper;
  }

  return {
    async push(orderId) {
      await pusher.lpush(key, orderId);
    },
    async pop(timeoutMs) {
      const redis = await popping();
      if (timeoutMs <= 0) return (await redis.rpop(key)) ?? undefined;
      const popped = await redis.brpop(key, Math.min(timeoutMs, popMaxMs) / 1_000);
      return popped?.[1];
    },
    get available() {
      return pusher.status === 'ready';
    },
    async close() {
      pusher.disconnect();
      popper?.disconnect();
    },
  };
}

/** Resolves with the connection's next success or failure. */
function contact(redis: Redis): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      redis.off('ready', done);
      redis.off('close', done);
      redis.off('end', done);
      resolve();
    };
    redis.on('ready', done);
    redis.on('close', done);
    redis.on('end', done);
  });
}
