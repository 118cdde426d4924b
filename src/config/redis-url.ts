import type { RedisOptions } from 'ioredis';
import { defined } from '../lib/defined.ts';

/** The forms of a Redis URL, for error messages. */
export const redisUrlsAllowed =
  'redis://[user:password@]host[:6379][/db], rediss://… (TLS), or ' +
  'redis+sentinel://[user:password@]host:26379,host2:26379/master[/db] (rediss+sentinel://… with TLS)';

export function isRedisUrl(text: string): boolean {
  try {
    parseRedisUrl(text);
    return true;
  } catch {
    return false;
  }
}

/** Parses a Redis URL. @throws RangeError if the text has none of the forms in {@link redisUrlsAllowed}. */
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
    ...defined({
      port: url.port === '' ? undefined : Number(url.port),
      tls: url.protocol === 'rediss:' ? {} : undefined,
    }),
    ...credentials(url),
    ...database(url.pathname.slice(1)),
  };
}

/** Parses a list of Sentinels: `[user:password@]host:port,host:port/master[/db][?…]`. */
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
  return defined({
    username: username === '' ? undefined : decodeURIComponent(username),
    password: password === '' ? undefined : decodeURIComponent(password),
  });
}

function database(text: string): RedisOptions {
  if (text === '') return {};
  if (!/^\d{1,5}$/.test(text)) throw new RangeError(redisUrlsAllowed);
  return { db: Number(text) };
}

/** The options in the query of a URL. ioredis accepts every option as text except `family`, which must be a number. */
function queryOf({ searchParams }: URL): RedisOptions {
  const { family, ...others } = Object.fromEntries(searchParams);
  return { ...others, ...defined({ family: family === undefined ? undefined : Number(family) }) };
}
