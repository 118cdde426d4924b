import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../test/support/servers/redis.ts';
import { byStatus, startBaseline } from './started.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const start = (quota: number) => startBaseline('lua', [{ id: 1, quota }], { REDIS_URL: server.url });

test('lua sells each unit once, refuses the rest, and passes its audit', async () => {
  await using lua = await start(5);
  const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => lua.buy(1, `key-${index}`)));
  expect(byStatus(answers)).toEqual({ 201: 5, 409: 35 });
  expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ code: 'sold_out' });
  expect(await lua.audit()).toEqual({ verdict: 'clean', detail: 'remaining + 5 answered 201 = quota' });
  expect(await lua.buy(2, 'key')).toMatchObject({ status: 404, body: { code: 'unknown_package' } });
  expect(await lua.end()).toBe(0);
});

test('lua takes one unit for one key, also when sold out', async () => {
  await using lua = await start(2);
  const answers = await Promise.all([lua.buy(1, 'mine'), lua.buy(1, 'mine'), lua.buy(1), lua.buy(1)]);
  expect(byStatus(answers)).toEqual({ 201: 3, 409: 1 });
  expect(await lua.buy(1, 'mine')).toMatchObject({ status: 201 });
  expect(await lua.audit()).toEqual({ verdict: 'clean', detail: 'remaining + 2 answered 201 = quota' });
});

test('lua fails its audit if the count in Redis differs from the number of answers', async () => {
  await using lua = await start(2);
  await lua.buy(1);
  const redis = new Redis(server.url);
  await redis.incr('bench:remaining:1');
  redis.disconnect();
  expect(await lua.audit()).toMatchObject({ verdict: 'void' });
});
