/**
 * The fastest shared counter: one Lua script in Redis per request takes a unit and remembers the key. It stores
 * nothing: the order exists only in the answer, no supplier is asked, and the counter is lost with Redis, which writes
 * no file.
 *
 * It is tuned: the script is called by its hash (EVALSHA), and ioredis sends the commands of one event-loop turn as one
 * pipeline, so concurrent requests share round trips.
 */
import { readFileSync } from 'node:fs';
import { Redis, type Result } from 'ioredis';
import { type Audit, confirmed, orderRoute, type Purchase } from './order-route.ts';
import { type Offer, runBaseline } from './program.ts';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    takeUnit(remaining: string, keys: string, key: string): Result<number, Context>;
  }
}

const remainingOf = (packageId: number) => `bench:remaining:${packageId}`;
const keysOf = (packageId: number) => `bench:keys:${packageId}`;

await runBaseline(async (offers) => {
  const { REDIS_URL = 'redis://127.0.0.1:6379' } = process.env;
  const redis = new Redis(REDIS_URL, { enableAutoPipelining: true });
  redis.defineCommand('takeUnit', {
    numberOfKeys: 2,
    lua: readFileSync(new URL('take-unit.lua', import.meta.url), 'utf8'),
  });
  for (const { id, quota } of offers) {
    await redis.multi().set(remainingOf(id), quota).del(keysOf(id)).exec();
  }
  /** Number of 201s by package, without repeated keys. */
  const given = new Map(offers.map(({ id }) => [id, 0]));
  return {
    listener: orderRoute(
      async (purchase) => {
        const outcome = await sell(redis, purchase);
        if (outcome === 'sold') given.set(purchase.packageId, (given.get(purchase.packageId) ?? 0) + 1);
        return outcome === 'sold' || outcome === 'sold_before' ? confirmed(purchase) : outcome;
      },
      () => audit(redis, offers, given),
    ),
    async [Symbol.asyncDispose]() {
      await redis.quit();
    },
  };
});

async function sell(
  redis: Redis,
  { packageId, key = '' }: Purchase,
): Promise<'sold' | 'sold_before' | 'sold_out' | 'unknown_package'> {
  const left = await redis.takeUnit(remainingOf(packageId), keysOf(packageId), key);
  if (left >= 0) return 'sold';
  if (left === -1) return 'sold_out';
  return left === -2 ? 'sold_before' : 'unknown_package';
}

/** Compares Redis's counters with the answers that were given. */
async function audit(
  redis: Redis,
  offers: readonly Offer[],
  given: ReadonlyMap<number, number>,
): Promise<Audit> {
  let total = 0;
  for (const { id, quota } of offers) {
    const remaining = Number(await redis.get(remainingOf(id)));
    const sold = given.get(id) ?? 0;
    if (remaining < 0 || remaining + sold !== quota) {
      const detail = `package ${id}: ${remaining} remaining + ${sold} answered 201 ≠ quota ${quota}`;
      return { verdict: 'void', detail };
    }
    total += sold;
  }
  return { verdict: 'clean', detail: `remaining + ${total} answered 201 = quota` };
}
