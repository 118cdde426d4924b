import type { Server } from 'node:http';
import type { RedisConnector } from '../cluster/redis/connector.ts';
import type { Config } from '../config/config.ts';
import type { AppServices } from '../http/app-services.ts';
import { limitConnections } from '../http/server/connections.ts';
import { LoopAdmission } from '../http/server/overload.ts';
import { openFilesMax } from '../lib/open-files.ts';
import { systemClock as clock } from '../lib/system-clock.ts';
import type { Log } from '../observability/log.ts';
import { clientResolver } from '../rate-limits/client-address.ts';
import { httpLimits } from '../rate-limits/limits.ts';
import type { RateLimits } from '../rate-limits/rate-limits.ts';

/** More than a machine of this kind serves well, and less than it breaks down under. */
const connectionsMax = 40_000;
/** Kept for the store, for suppliers and for Redis: a server without a file to open could not even commit. */
const otherFilesMax = 1_000;

/** What protects an instance from too much of anything. */
export interface Protection {
  readonly deps: Pick<AppServices, 'limits' | 'admission'>;
  /** Holds the connections of a server to their limits. */
  attach(server: Server): void;
  close(): Promise<void>;
}

/** @param connect how Redis is reached; undefined where the instance is alone. */
export async function openProtection(
  config: Pick<Config, 'limits' | 'trustProxy'>,
  connect: RedisConnector | undefined,
  log: Log,
): Promise<Protection> {
  const { limits: settings, trustProxy } = config;
  const admission = new LoopAdmission(clock);
  admission.start();
  const rates = settings && (await openRateLimits(connect, log));
  const limits = rates && settings && httpLimits(rates, settings, trustProxy, proxyWarning(log));
  return {
    deps: { admission, ...(limits === undefined ? {} : { limits }) },
    attach: (server) => attachConnectionLimits(server, config),
    async close() {
      admission.stop();
      await rates?.close();
    },
  };
}

/** For any server that listens where customers come, also while there is no instance yet. */
export function attachConnectionLimits(
  server: Server,
  { limits, trustProxy }: Pick<Config, 'limits' | 'trustProxy'>,
): void {
  limitConnections(server, {
    max: connectionsAllowed(openFilesMax()),
    maxPerClient: limits?.connectionsPerClient ?? 0,
    clients: clientResolver(trustProxy),
  });
}

/** @param files how many the process may have open; undefined: any number. */
export function connectionsAllowed(files: number | undefined): number {
  if (files === undefined) return connectionsMax;
  return Math.min(connectionsMax, files - Math.min(otherFilesMax, Math.ceil(files / 4)));
}

/** Said once: it is a slip in the set-up, or somebody who lies. */
function proxyWarning(log: Log): () => void {
  let isSaid = false;
  return () => {
    if (!isSaid) log.warn({}, proxyWords);
    isSaid = true;
  };
}

const proxyWords =
  'a client that is refused by a rate limit sends X-Forwarded-For, and TRUST_PROXY is off. If there is a proxy in ' +
  'front of this server, everybody behind it counts as one client: set TRUST_PROXY.';

/** Loaded only where there are limits: the library takes memory, and time at the start. */
async function openRateLimits(connect: RedisConnector | undefined, log: Log): Promise<RateLimits> {
  if (connect === undefined) {
    const { memoryRateLimits } = await import('../rate-limits/memory.ts');
    return memoryRateLimits({ clock });
  }
  const { redisRateLimits } = await import('../rate-limits/redis.ts');
  return redisRateLimits({ connect, clock, log });
}
