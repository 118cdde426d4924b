import { Redis, type RedisOptions } from 'ioredis';
import { parseRedisUrl } from '../../config/redis-url.ts';
import type { Log } from '../../observability/log.ts';

/** Opens a connection of its own for a purpose, which names it in logs and in Redis's `CLIENT LIST`. */
export type RedisConnector = (purpose: string, options?: RedisOptions) => Redis;

/** A lost connection is tried again soon: what runs over it has a few seconds at most. */
const reconnectMaxMs = 500;

/**
 * How to reach the Redis at a URL, single or behind Sentinels. Further ioredis options may stand in its query, for
 * example `?sentinelPassword=…`. Connections come back by themselves, and a change of their state is logged once.
 * @throws RangeError when the URL is none of `redisUrlsAllowed`.
 */
export function redisConnector(url: string, instance: string, log: Log): RedisConnector {
  const place = parseRedisUrl(url);
  return (purpose, options) => {
    const usual: RedisOptions = {
      retryStrategy: (times) => Math.min(20 * 2 ** Math.min(times, 6), reconnectMaxMs),
      // Behind Sentinels a master may have become a replica: ask them anew.
      reconnectOnError: (error) => error.message.includes('READONLY'),
      sentinelReconnectStrategy: () => reconnectMaxMs,
      connectTimeout: 2_000,
      // A connection that is given up does not wait for the other side to agree.
      disconnectTimeout: 100,
      connectionName: `ticket-booking:${instance}:${purpose}`,
    };
    const redis = new Redis({ ...usual, ...place, ...options, replyMapping: 'legacy' });
    logChanges(redis, purpose, log);
    return redis;
  };
}

/** ioredis tells of an error at every attempt: once is enough. */
function logChanges(redis: Redis, purpose: string, log: Log): void {
  let said = '';
  const say = (state: string, tell: () => void) => {
    if (state === said) return;
    said = state;
    tell();
  };
  redis.on('error', (error) => {
    say(error.message, () =>
      log.warn({ purpose, err: error }, 'a Redis connection fails and is tried again'),
    );
  });
  redis.on('reconnecting', () => {
    if (said === 'ready') {
      say('lost', () => log.warn({ purpose }, 'a Redis connection was lost and is tried again'));
    }
  });
  redis.on('ready', () => {
    const first = said === '';
    say('ready', () => log[first ? 'debug' : 'info']({ purpose }, 'a Redis connection is ready'));
  });
}
