import type { Leases } from '../cluster/lease.ts';
import type { RedisConnector } from '../cluster/redis/connector.ts';
import type { Config } from '../config/config.ts';
import { defaultRejectionsMax, type PaymentRules } from '../domain/decide.ts';
import { ActorEngine } from '../engine/actor/actor-engine.ts';
import type { OperatedEngine } from '../engine/operated-engine.ts';
import { systemClock as clock } from '../lib/clock.ts';
import { defined } from '../lib/defined.ts';
import { systemRandom } from '../lib/random.ts';
import type { Notifications } from '../notifications/notifications.ts';
import type { Log } from '../observability/log.ts';
import type { Telemetry } from '../observability/telemetry.ts';
import type { Tracing } from '../observability/tracing.ts';
import { type LiveBus, localLiveBus } from '../realtime/live-bus.ts';
import type { Suppliers } from '../suppliers/suppliers.ts';
import { noticeChannelsOf } from './notifications.ts';
import { closeAfterFailure, startStep } from './start-step.ts';
import type { OpenStore } from './store.ts';

/** A started engine. */
interface RunningEngine {
  readonly engine: OperatedEngine & { start(): Promise<void>; close(): void };
  /** Whether other instances continue the work of this one after its end. */
  readonly hasOthers: boolean;
  readonly close: () => Promise<unknown>;
}

/** The dependencies of every engine. */
interface EngineParts {
  readonly config: Config;
  readonly log: Log;
  /** Called when another process changes the same packages although this instance has no leases. */
  readonly onFenced?: (packageId: number) => void;
  /** Called when another running instance has the id of this one. */
  readonly onDuplicate?: () => void;
  readonly store: OpenStore;
  readonly suppliers: Suppliers;
  /** How orders are paid; undefined if payments are off. */
  readonly payments: PaymentRules | undefined;
  readonly liveBus: LiveBus;
  readonly metrics: Telemetry['metrics'];
  readonly tracing?: Tracing;
  /** Absent if nobody is told of outcomes. */
  readonly notifications?: Notifications;
  /** Undefined for a single instance. */
  readonly cluster: Cluster | undefined;
}

/** The connection to Redis and the modules that only several instances need. */
interface Cluster {
  readonly modules: Awaited<ReturnType<typeof loadClusterModules>>;
  readonly connect: RedisConnector;
}

/** The maximum age of a cached snapshot that may refuse a purchase without a request to the owner. */
const snapshotMaxAgeMs = 250;

export async function openCluster({ redisUrl, instanceId }: Config, log: Log): Promise<Cluster | undefined> {
  if (redisUrl === undefined) return undefined;
  const modules = await loadClusterModules();
  return { modules, connect: modules.redisConnector(redisUrl, instanceId, log) };
}

/** Loads the modules for several instances. A single instance does without, to save memory and start time. */
async function loadClusterModules() {
  const [redis, leases, liveBus, list, messages, lock, queue] = await Promise.all([
    import('../cluster/redis/connector.ts'),
    import('../cluster/redis/redlock-leases.ts'),
    import('../realtime/redis/redis-live-bus.ts'),
    import('../engine/queue/redis-work-queue.ts'),
    import('../cluster/redis/redis-messages.ts'),
    import('../engine/lock/lock-engine.ts'),
    import('../engine/queue/queue-engine.ts'),
  ]);
  return { ...redis, ...leases, ...liveBus, ...list, ...messages, ...lock, ...queue };
}

export async function startEngine(parts: EngineParts): Promise<RunningEngine> {
  const running = chooseEngine(parts);
  try {
    const step = `starting the engine${running.hasOthers ? ', which joins the others over Redis' : ''}`;
    await startStep(step, running.engine.start());
    return running;
  } catch (error) {
    running.engine.close();
    await closeAfterFailure(running.close(), parts.liveBus.close());
    throw error;
  }
}

function chooseEngine({
  config,
  log,
  payments,
  onFenced,
  onDuplicate,
  cluster,
  ...parts
}: EngineParts): RunningEngine {
  const noticeChannels = noticeChannelsOf(config);
  const common = {
    ...parts,
    clock,
    random: systemRandom(),
    log,
    rules: {
      waitersPerUnit: config.waitersPerUnit,
      waitersMax: config.waitersMax,
      ordersPerEmail: config.ordersPerEmail,
      rejectionsMax: defaultRejectionsMax,
      payments,
      ...(noticeChannels.length > 0 ? { noticeChannels } : {}),
    },
    // With SQLite only this process changes packages, and the live bus reports every change, so snapshots never expire.
    snapshotMaxAgeMs: config.database.kind === 'sqlite' ? Number.POSITIVE_INFINITY : snapshotMaxAgeMs,
  };
  const { instanceId: instance } = config;
  if (cluster === undefined) {
    const engine = new ActorEngine({ ...common, instance, ...defined({ onFenced }) });
    return { engine, hasOthers: false, close: async () => {} };
  }
  const { connect, modules } = cluster;
  if (config.engine === 'queue') {
    const workQueue = modules.redisList({ connect });
    return {
      engine: new modules.QueueEngine({ ...common, workQueue }),
      hasOthers: true,
      close: () => workQueue.close(),
    };
  }
  const leases = openLeases(config, cluster, log);
  if (config.engine === 'lock') {
    return {
      engine: new modules.LockEngine({ ...common, leases }),
      hasOthers: true,
      close: () => leases.close(),
    };
  }
  const { metrics } = parts;
  const messages = modules.redisMessages({
    ...{ connect, instance, clock, random: systemRandom(), log, metrics },
    ...defined({ onDuplicate }),
  });
  const engine = new ActorEngine({ ...common, instance, leases, messages });
  return { engine, hasOthers: true, close: () => Promise.all([messages.close(), leases.close()]) };
}

function openLeases(
  { redisUrl, redlockUrls, instanceId, leaseTtlMs: ttlMs }: Config,
  { modules }: Cluster,
  log: Log,
): Leases {
  const urls = redlockUrls ?? (redisUrl === undefined ? [] : [redisUrl]);
  const nodes = urls.map((url) => modules.redisConnector(url, instanceId, log));
  return modules.redlockLeases({ nodes, ttlMs, clock, log });
}

export function openLiveBus(
  { instanceId: instance }: Config,
  cluster: Cluster | undefined,
  log: Log,
): LiveBus {
  const local = localLiveBus(log);
  if (cluster === undefined) return local;
  const { connect, modules } = cluster;
  return modules.redisLiveBus({ local, connect, instance, clock, log });
}
