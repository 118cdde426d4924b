import { describe, expect, it } from 'vitest';
import { startRedis } from '../../../test/support/servers/redis.ts';
import { parseRedisUrl, redisUrlsAllowed } from '../../config/redis-url.ts';
import type { Log } from '../../observability/log.ts';
import { redisConnector } from './connector.ts';

describe('a Redis URL', () => {
  it.each([
    ['redis://localhost', { host: 'localhost' }],
    ['redis://:pw%40@h:7000/3', { host: 'h', port: 7000, password: 'pw@', db: 3 }],
    ['rediss://user:pw@h', { host: 'h', username: 'user', password: 'pw', tls: {} }],
    ['redis://[::1]:6380?family=6', { host: '::1', port: 6380, family: 6 }],
    [
      'redis+sentinel://user:pw@a:26379,b,[::1]:26380/mymaster/2?sentinelPassword=s',
      {
        sentinels: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 26_379 },
          { host: '::1', port: 26_380 },
        ],
        name: 'mymaster',
        username: 'user',
        password: 'pw',
        db: 2,
        sentinelPassword: 's',
      },
    ],
    [
      'rediss+sentinel://a/main',
      {
        sentinels: [{ host: 'a', port: 26_379 }],
        name: 'main',
        tls: {},
        enableTLSForSentinelMode: true,
        sentinelTLS: {},
      },
    ],
  ])('%s is parsed', (url, options) => {
    expect(parseRedisUrl(url)).toEqual(options);
  });

  it.each([
    '',
    'localhost:6379',
    'http://localhost',
    'redis://',
    'redis://a b',
    'redis://h/x',
    'redis://h:99999',
    'redis+sentinel://a:26379',
    'redis+sentinel://a:26379/',
    'redis+sentinel:///main',
    'redis+sentinel://a,,b/main',
  ])('%j is refused, and the error lists the allowed forms', (url) => {
    expect(() => parseRedisUrl(url)).toThrow(redisUrlsAllowed);
  });
});

describe('a Redis connection', () => {
  it('reconnects by itself, and logs each change of its state once', async () => {
    await using server = await startRedis();
    const lines: string[] = [];
    const write = (_: object, message: string) => lines.push(message);
    const log: Log = { debug: write, info: write, warn: write, error: write };
    const redis = redisConnector(server.url, 'one', log)('test', { maxRetriesPerRequest: null });
    try {
      expect(await redis.client('GETNAME')).toBe('ticket-booking:one:test');
      await server.restart(1_000);
      expect(await redis.ping()).toBe('PONG');
      expect(lines).toEqual([
        'a Redis connection is ready',
        'a Redis connection was lost and is tried again',
        'a Redis connection fails and is tried again',
        'a Redis connection is ready',
      ]);
    } finally {
      redis.disconnect();
    }
  });

  it('fails its commands and logs one warning when no Redis listens', async () => {
    const warned: object[] = [];
    const log: Log = { debug() {}, info() {}, warn: (fields) => warned.push(fields), error() {} };
    const redis = redisConnector('redis://127.0.0.1:1', 'one', log)('test', { maxRetriesPerRequest: 2 });
    await expect(redis.ping()).rejects.toThrow();
    expect(warned).toHaveLength(1);
    redis.disconnect();
  });
});
