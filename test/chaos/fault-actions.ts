import { setTimeout as sleep } from 'node:timers/promises';
import type { Prng } from '../simulation/prng.ts';
import type { Cluster } from '../support/cluster.ts';
import type { FaultKind, SequenceName } from './fault-sequences.ts';
import type { LinkFault } from './link.ts';
import type { Network } from './network.ts';
import type { CallFault } from './supplier-gateway.ts';
import type { WatchedInstance } from './watched-instance.ts';

/** Everything that a fault's implementation needs. */
export interface FaultContext {
  readonly cluster: Cluster;
  readonly network: Network;
  readonly instances: readonly WatchedInstance[];
  /** Aborts when all faults must be healed. No fault lasts longer. */
  readonly healing: AbortSignal;
  readonly sequence: SequenceName;
  readonly forMs: number;
  /** Picks a package that many buyers buy. */
  readonly pickPackage: () => number;
  readonly prng: Prng;
  /** Records the fault on these targets from now until `work` resolves. */
  during(targets: string | readonly string[], work: () => Promise<void>): Promise<void>;
}

/** Causes a fault, and resolves after healing it. */
export type FaultAction = (context: FaultContext) => Promise<void>;

export const faultActions: Readonly<Record<FaultKind, FaultAction>> = {
  kill: (context) =>
    withInstance(context, async (victim) => {
      await victim.kill();
      await lasting(context);
      await victim.restart();
    }),
  pause: (context) =>
    withInstance(context, async ({ instance }) => {
      instance.pause();
      await lasting(context);
      instance.resume();
    }),
  async 'rolling restart'(context) {
    for (const victim of context.instances) {
      if (context.healing.aborted) return;
      await victim.take();
      try {
        await context.during(victim.id, async () => {
          await victim.terminate();
          await victim.restart();
        });
      } finally {
        victim.release();
      }
    }
  },
  'step-down': (context) => {
    const { mongo } = context.cluster;
    return withPrimary(context, () => retryStepDown(() => mongo.stepDown()));
  },
  'kill primary': (context) =>
    withPrimary(context, async (primary) => {
      const { mongo } = context.cluster;
      await mongo.kill(primary);
      await lasting(context);
      await mongo.restart(primary);
    }),
  'freeze primary': (context) =>
    withPrimary(context, async (primary) => {
      const { mongo } = context.cluster;
      mongo.freeze(primary);
      await lasting(context);
      mongo.thaw(primary);
    }),
  'redis wiped': (context) => context.during('redis', () => context.cluster.redis.flush()),
  'redis restarted': (context) => context.during('redis', () => context.cluster.redis.restart(context.forMs)),
  'redis paused': (context) => context.during('redis', () => context.cluster.redis.pause(context.forMs)),
  'supplier errors': (context) => withCalls(context, ['error', 'done but error', 'garbage']),
  'supplier hangs': (context) => withCalls(context, ['lost', 'silent']),
  'supplier cuts': (context) => withCalls(context, ['cut', 'cut reply']),
  'supplier late': (context) => withCalls(context, ['done late', 'answered late']),
  'package hangs': (context) => withPackage(context, ['lost', 'silent']),
  'package fails': (context) => withPackage(context, ['error', 'cut']),
  'payment errors': (context) => withPayments(context, ['error', 'done but error', 'garbage', 'cut reply']),
  'payment hangs': (context) => withPayments(context, ['lost', 'silent', 'answered late']),
  'refunds fail': (context) => withPayments(context, ['error', 'done but error', 'lost'], 'DELETE'),
  'suppliers paused': (context) =>
    context.during('suppliers', async () => {
      context.cluster.suppliers?.signal('SIGSTOP');
      await lasting(context);
      context.cluster.suppliers?.signal('SIGCONT');
    }),
  delay: (context) => withLinks(context, { kind: 'delay', ms: context.prng.pick([20, 100, 400]) }),
  cut: (context) => withLinks(context, { kind: 'cut' }),
  blackhole: (context) => withLinks(context, { kind: 'blackhole' }),
};

async function lasting({ forMs, healing }: FaultContext): Promise<void> {
  await sleep(forMs, undefined, { signal: healing }).catch(() => {});
}

/** Runs the work with a random instance that has no fault, unless only one such instance is left. */
async function withInstance(
  context: FaultContext,
  work: (victim: WatchedInstance) => Promise<void>,
): Promise<void> {
  const { instances, prng, healing } = context;
  for (;;) {
    const free = instances.filter(({ isTaken }) => !isTaken);
    if (healing.aborted) return;
    if (free.length < 2) {
      await sleep(50);
      continue;
    }
    const victim = prng.pick(free);
    await victim.take();
    try {
      return await context.during(victim.id, () => work(victim));
    } finally {
      victim.release();
    }
  }
}

/**
 * Runs the work with the primary's index. Resolves when the replica set is complete again, because the next fault must
 * not affect a second member.
 */
async function withPrimary(context: FaultContext, work: (primary: number) => Promise<void>): Promise<void> {
  const { mongo } = context.cluster;
  const primary = await mongo.primary();
  await context.during(memberName(primary), () => work(primary));
  await mongo.whole();
}

/** Retries the work, because a step-down is refused while no other member has caught up. */
async function retryStepDown(work: () => Promise<void>): Promise<void> {
  for (let attemptsLeft = 10; ; attemptsLeft--) {
    try {
      return await work();
    } catch (error) {
      if (attemptsLeft === 0) throw error;
      await sleep(300);
    }
  }
}

async function withCalls(context: FaultContext, kinds: readonly CallFault[]): Promise<void> {
  const { network, prng } = context;
  const { gateway } = network;
  const share = prng.pick([0.1, 0.3, 1]);
  await context.during('suppliers', async () => {
    gateway.lateMs = () => prng.between(300, 3_000);
    gateway.decide(() => (prng.chance(share) ? prng.pick(kinds) : undefined));
    await lasting(context);
    gateway.decide(() => undefined);
  });
}

/** All calls for one package fail, while the suppliers work for the others. */
async function withPackage(context: FaultContext, kinds: readonly CallFault[]): Promise<void> {
  const { gateway } = context.network;
  const { prng } = context;
  const packageId = context.pickPackage();
  await context.during(`package-${packageId}`, async () => {
    gateway.decideFor(packageId, () => prng.pick(kinds));
    await lasting(context);
    gateway.decideFor(packageId, undefined);
  });
}

/** All calls of the payment provider fail, or only those with this method, while the suppliers work. */
async function withPayments(
  context: FaultContext,
  kinds: readonly CallFault[],
  method?: string,
): Promise<void> {
  const { gateway } = context.network;
  const { prng } = context;
  await context.during('payments', async () => {
    gateway.decidePayments((asked) =>
      method === undefined || asked === method ? prng.pick(kinds) : undefined,
    );
    await lasting(context);
    gateway.decidePayments(() => undefined);
  });
}

/**
 * Applies the fault to all connections of the links, or to half of them. A server that answers only some requests is
 * worse than a server that is down.
 */
async function withLinks(context: FaultContext, fault: LinkFault): Promise<void> {
  const { network, prng, sequence, cluster } = context;
  const targets = sequence === 'mongodb' ? [await someMember(context)] : someLinks(context);
  const share = prng.pick([0.5, 1]);
  const survivors = prng.pick([0, 0.5, 1]);
  await context.during(targets, async () => {
    for (const name of targets) network.links.get(name)?.apply(fault, () => prng.chance(share));
    await lasting(context);
    for (const name of targets) network.links.get(name)?.heal(() => prng.chance(survivors));
  });
  if (sequence === 'mongodb') await cluster.mongo.whole();
}

async function someMember({ cluster, prng }: FaultContext): Promise<string> {
  const primary = await cluster.mongo.primary();
  return memberName(prng.chance(0.6) ? primary : prng.whole(0, cluster.mongo.ports.length - 1));
}

/** The links of one instance, or of all instances. */
function someLinks({ network, prng, sequence }: FaultContext): string[] {
  const pattern =
    sequence === 'clients' ? /^clients to / : sequence === 'redis' ? / to redis$/ : / to suppliers$/;
  const names = [...network.links.keys()].filter((name) => pattern.test(name));
  return sequence !== 'clients' && prng.chance(0.3) ? names : [prng.pick(names)];
}

function memberName(member: number): string {
  return `mongod-${member + 1}`;
}
