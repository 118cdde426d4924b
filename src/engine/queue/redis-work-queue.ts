import type { Redis, RedisOptions } from 'ioredis';
import type { WorkQueue } from './work-queue.ts';

export interface RedisListOptions {
  /** Opens a connection. Two are used: a pop blocks its own, which is opened by the first one. */
  readonly connect: (purpose: string, options: RedisOptions) => Redis;
}

const key = 'orders:queued';
/** No answer of Redis within this time is none. */
const timeoutMs = 1_000;
/** The longest that a pop waits. */
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

  /** Waits for the connection, so that a consumer that has just started does not take it for broken. */
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
