import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { RedisConnector } from '../cluster/redis/connector.ts';
import type { Config } from '../config/config.ts';
import type { AppServices } from '../http/app-services.ts';
import { LoopAdmission } from '../http/limits.ts';
import { limitConnections } from '../http/server/connections.ts';
import { systemClock as clock } from '../lib/clock.ts';
import { defined } from '../lib/defined.ts';
import { LogOnce } from '../lib/log-once.ts';
import type { Log } from '../observability/log.ts';
import { clientResolver } from '../rate-limits/client-address.ts';
import { httpLimits } from '../rate-limits/limits.ts';
import { memoryRateLimits } from '../rate-limits/memory.ts';
import type { RateLimits } from '../rate-limits/rate-limits.ts';
import { redisRateLimits } from '../rate-limits/redis.ts';

/** Above the load that an instance serves well, below the load that it cannot survive. */
const connectionsMax = 40_000;
/** Reserved for the store, suppliers and Redis: without a free file descriptor the server could not commit. */
const otherFilesMax = 1_000;

/** The limits that protect an instance from overload. */
interface Protection {
  readonly deps: Pick<AppServices, 'limits' | 'admission'>;
  /** Limits the number of connections to a server. */
  attach(server: Server): void;
  close(): Promise<void>;
}

/** @param connect opens a connection to Redis; undefined for a single instance. */
export async function openProtection(
  config: Pick<Config, 'limits' | 'trustProxy'>,
  connect: RedisConnector | undefined,
  log: Log,
): Promise<Protection> {
  const { limits: settings, trustProxy } = config;
  const admission = new LoopAdmission(clock);
  admission.start();
  const rates = settings && openRateLimits(connect, log);
  const limits = rates && settings && httpLimits(rates, settings, trustProxy, proxyWarning(log));
  return {
    deps: { admission, ...defined({ limits }) },
    attach: (server) => attachConnectionLimits(server, config),
    async close() {
      admission.stop();
      await rates?.close();
    },
  };
}

/**
 * Limits the connections to a server for customers. Needed also for a server that listens before there is an instance.
 */
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

/** @param files the number of files that the process may have open; undefined: any number. */
export function connectionsAllowed(files: number | undefined): number {
  if (files === undefined) return connectionsMax;
  return Math.min(connectionsMax, files - Math.min(otherFilesMax, Math.ceil(files / 4)));
}

/**
 * The number of files and connections that this process may have open. Node has already raised this number to the hard
 * limit. Undefined if the number is unknown or unlimited.
 */
export function openFilesMax(limitsFile = '/proc/self/limits'): number | undefined {
  try {
    const soft = /^Max open files\s+(?<soft>\d+)/m.exec(readFileSync(limitsFile, 'utf8'))?.groups?.soft;
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/** Warns once of X-Forwarded-For without a trusted proxy: TRUST_PROXY is set wrongly, or a client forges the header. */
function proxyWarning(log: Log): () => void {
  const once = new LogOnce();
  return () => once.report('X-Forwarded-For', () => log.warn({}, proxyMessage));
}

const proxyMessage =
  'a client that is refused by a rate limit sends X-Forwarded-For, and TRUST_PROXY is off. If there is a proxy in ' +
  'front of this server, everybody behind it counts as one client: set TRUST_PROXY.';

function openRateLimits(connect: RedisConnector | undefined, log: Log): RateLimits {
  return connect === undefined ? memoryRateLimits({ clock }) : redisRateLimits({ connect, clock, log });
}
