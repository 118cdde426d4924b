import { Redis, type RedisOptions } from 'ioredis';
import { parseRedisUrl } from '../../config/redis-url.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { LogOnce } from '../../lib/log-once.ts';
import type { Log } from '../../observability/log.ts';

/** Opens a separate connection. Its purpose appears in the log and in Redis's `CLIENT LIST`. */
export type RedisConnector = (purpose: string, options?: RedisOptions) => Redis;

/** Pauses before reconnecting. They are short, because callers wait for a lost connection a few seconds at most. */
const reconnect = { firstMs: 40, maxMs: 500 };

/**
 * Connects to the Redis at a URL: a single server, or a server behind Sentinels. The query of the URL may hold further
 * ioredis options, for example `?sentinelPassword=…`. Lost connections are opened again automatically. Each change
 * of a connection's state is logged once.
 * @throws RangeError when the URL is not one of `redisUrlsAllowed`.
 */
export function redisConnector(url: string, instance: string, log: Log): RedisConnector {
  const server = parseRedisUrl(url);
  return (purpose, options) => {
    const usual: RedisOptions = {
      retryStrategy: (failures) => backoffMs(failures, reconnect),
      // After a failover this server may be a replica, which refuses writes. Reconnecting asks the Sentinels again.
      reconnectOnError: (error) => error.message.includes('READONLY'),
      sentinelReconnectStrategy: () => reconnect.maxMs,
      connectTimeout: 2_000,
      // Do not wait for the other side when a connection is closed.
      disconnectTimeout: 100,
      connectionName: `ticket-booking:${instance}:${purpose}`,
    };
    const redis = new Redis({ ...usual, ...server, ...options, replyMapping: 'legacy' });
    logChanges(redis, purpose, log);
    return redis;
  };
}

/** Resolves when the connection is ready, or when the first attempt to connect has failed. */
export function firstAttempt(redis: Redis): Promise<void> {
  return new Promise((resolve) => {
    if (redis.status === 'ready') return resolve();
    redis.once('ready', () => resolve());
    redis.once('close', () => resolve());
  });
}

function logChanges(redis: Redis, purpose: string, log: Log): void {
  const problems = new LogOnce();
  let isReady = false;
  redis.on('error', (err) => {
    isReady = false;
    problems.report(err.message, () =>
      log.warn({ purpose, err }, 'a Redis connection fails and is tried again'),
    );
  });
  redis.on('reconnecting', () => {
    if (!isReady) return;
    isReady = false;
    problems.report('lost', () => log.warn({ purpose }, 'a Redis connection was lost and is tried again'));
  });
  redis.on('ready', () => {
    isReady = true;
    log[problems.end() ? 'info' : 'debug']({ purpose }, 'a Redis connection is ready');
  });
}
