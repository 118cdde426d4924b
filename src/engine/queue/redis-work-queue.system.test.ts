import { Redis, type RedisOptions } from 'ioredis';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { workQueueContract } from '../../../test/contract/work-queue.ts';
import { type RedisServer, startRedis } from '../../../test/support/servers/redis.ts';
import { redisList } from './redis-work-queue.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

function connect(_purpose: string, options: RedisOptions): Redis {
  const redis = new Redis(server.url, { retryStrategy: () => 50, ...options, replyMapping: 'legacy' });
  redis.on('error', () => {});
  return redis;
}

workQueueContract('Redis list', async () => {
  await server.flush();
  const queue = redisList({ connect });
  return { queue, close: () => queue.close() };
});

test('the work queue is unavailable while Redis is away, and available again afterwards', async () => {
  const queue = redisList({ connect });
  await vi.waitFor(() => expect(queue.available).toBe(true));
  const waiting = expect(queue.pop(5_000)).rejects.toThrow();
  await server.kill();
  await waiting;
  await vi.waitFor(() => expect(queue.available).toBe(false));
  await expect(queue.push('lost')).rejects.toThrow();
  await expect(queue.pop(10)).rejects.toThrow();
  await server.restart();
  await vi.waitFor(() => expect(queue.available).toBe(true), 5_000);
  await queue.push('kept');
  await vi.waitFor(async () => expect(await queue.pop(1_000)).toBe('kept'), 5_000);
  await queue.close();
});
