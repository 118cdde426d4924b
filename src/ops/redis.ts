import { Redis, type RedisOptions } from 'ioredis';
import type { Log } from '../ports/log.ts';

/** Opens a connection of its own for a purpose, which names it in logs and in Redis's `CLIENT LIST`. */
export type RedisConnector = (purpose: string, options?: RedisOptions) => Redis;

/** What a Redis URL may look like, for messages to operators. */
export const redisUrlsAllowed =
  'redis://[user:password@]host[:6379][/db], rediss://… (TLS), or ' +
  'redis+sentinel://[user:password@]host:26379,host2:26379/master[/db] (rediss+sentinel://… with TLS)';

/** A lost connection is tried again soon: what runs over it has a few seconds at most. */
const reconnectMaxMs = 500;

/**
 * How to reach the Redis at a URL, single or behind Sentinels. Further ioredis options may stand in its query, for
 * example `?sentinelPassword=…`. Connections come back by themselves, and a change of their state is logged once.
 * @throws RangeError when the URL is none of {@link redisUrlsAllowed}.
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

export function isRedisUrl(text: string): boolean {
  try {
    parseRedisUrl(text);
    return true;
  } catch {
    return false;
  }
}

/** @throws RangeError when the text is none of {@link redisUrlsAllowed}. */
export function parseRedisUrl(text: string): RedisOptions {
  const parts = /^(?<tls>rediss?)(?<sentinel>\+sentinel)?:\/\/(?<rest>[^\s]+)$/i.exec(text)?.groups;
  if (parts === undefined) throw new RangeError(redisUrlsAllowed);
  return parts.sentinel === undefined
    ? parseSingle(text)
    : parseSentinels(parts.rest as string, parts.tls?.toLowerCase() === 'rediss');
}

function parseSingle(text: string): RedisOptions {
  const url = parse(text);
  return {
    ...queryOf(url),
    host: url.hostname.replace(/^\[|\]$/g, ''),
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    ...credentials(url),
    ...database(url.pathname.slice(1)),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

/** `[user:password@]host:port,host:port/master[/db][?…]` */
function parseSentinels(rest: string, tls: boolean): RedisOptions {
  const [, user = '', hosts, path] = /^([^@/]*@)?([^/?]+)(.*)$/.exec(rest) ?? [];
  if (hosts === undefined) throw new RangeError(redisUrlsAllowed);
  const url = parse(`redis://${user}master${path}`);
  const [name = '', db = ''] = url.pathname.slice(1).split('/');
  if (name === '') throw new RangeError(redisUrlsAllowed);
  return {
    ...queryOf(url),
    sentinels: hosts.split(',').map((each) => {
      const { hostname, port } = parse(`redis://${each}`);
      return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 26_379 : Number(port) };
    }),
    name: decodeURIComponent(name),
    ...credentials(url),
    ...database(db),
    ...(tls ? { tls: {}, enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
  };
}

function parse(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url?.hostname) throw new RangeError(redisUrlsAllowed);
  return url;
}

function credentials({ username, password }: URL): RedisOptions {
  return {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
  };
}

function database(text: string): RedisOptions {
  if (text === '') return {};
  if (!/^\d{1,5}$/.test(text)) throw new RangeError(redisUrlsAllowed);
  return { db: Number(text) };
}

/** ioredis takes every option as text, except for `family`. */
function queryOf({ searchParams }: URL): RedisOptions {
  const { family, ...others } = Object.fromEntries(searchParams);
  return { ...others, ...(family === undefined ? {} : { family: Number(family) }) };
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
