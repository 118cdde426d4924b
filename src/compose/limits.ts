import type { Server } from 'node:http';
import { systemClock as clock } from '../adapters/system/clock.ts';
import type { AppDeps } from '../http/deps.ts';
import { clientsBehind } from '../http/limits/client-of.ts';
import { limitConnections } from '../http/limits/connections.ts';
import { httpLimits } from '../http/limits/limits.ts';
import { LoopAdmission } from '../http/overload.ts';
import type { Config } from '../ops/config.ts';
import type { RedisConnector } from '../ops/redis.ts';
import type { Log } from '../ports/log.ts';
import type { RateLimits } from '../ports/rate-limits.ts';

/** More than a machine of this kind serves well, and less than it breaks down under. */
const connectionsMax = 40_000;

/** What protects an instance from too much of anything. */
export interface Protection {
  readonly deps: Pick<AppDeps, 'limits' | 'admission'>;
  /** Holds the connections of a server to their limits. */
  attach(server: Server): void;
  close(): Promise<void>;
}

/** @param connect how Redis is reached; undefined where the instance is alone. */
export async function openProtection(
  { limits: settings, trustProxy }: Pick<Config, 'limits' | 'trustProxy'>,
  connect: RedisConnector | undefined,
  log: Log,
): Promise<Protection> {
  const admission = new LoopAdmission(clock);
  admission.start();
  const rates = settings && (await openRateLimits(connect, log));
  const limits = rates && settings && httpLimits(rates, settings, trustProxy);
  const maxPerClient = settings?.connectionsPerClient ?? 0;
  const connections = { max: connectionsMax, maxPerClient, clients: clientsBehind(trustProxy) };
  return {
    deps: { admission, ...(limits === undefined ? {} : { limits }) },
    attach: (server) => limitConnections(server, connections),
    async close() {
      admission.stop();
      await rates?.close();
    },
  };
}

/** Loaded only where there are limits: the library takes memory, and time at the start. */
async function openRateLimits(connect: RedisConnector | undefined, log: Log): Promise<RateLimits> {
  if (connect === undefined) {
    const { memoryRateLimits } = await import('../adapters/limits/memory.ts');
    return memoryRateLimits({ clock });
  }
  const { redisRateLimits } = await import('../adapters/limits/redis.ts');
  return redisRateLimits({ connect, clock, log });
}
