import { setTimeout as sleep } from 'node:timers/promises';
import type { Prng } from '../simulation/prng.ts';
import type { Cluster } from '../support/cluster.ts';
import type { FaultKind, LaneName } from './lanes.ts';
import type { Trouble } from './link.ts';
import type { Network } from './network.ts';
import type { CallFault } from './supplier-gateway.ts';
import type { WatchedInstance } from './watched-instance.ts';

/** What the implementation of a fault needs. */
export interface Stage {
  readonly cluster: Cluster;
  readonly network: Network;
  readonly instances: readonly WatchedInstance[];
  /** Aborts when all faults must be healed; no fault lasts longer. */
  readonly healing: AbortSignal;
  readonly lane: LaneName;
  readonly forMs: number;
  readonly dice: Prng;
  /** Records the fault on these targets from now until `work` resolves. */
  during(targets: string | readonly string[], work: () => Promise<void>): Promise<void>;
}

/** Causes a fault, and resolves after healing it. */
export type Strike = (stage: Stage) => Promise<void>;

export const strikes: Readonly<Record<FaultKind, Strike>> = {
  kill: (stage) =>
    withInstance(stage, async (victim) => {
      await victim.kill();
      await lasting(stage);
      await victim.restart();
    }),
  pause: (stage) =>
    withInstance(stage, async ({ instance }) => {
      instance.pause();
      await lasting(stage);
      instance.resume();
    }),
  async 'rolling restart'(stage) {
    for (const victim of stage.instances) {
      if (stage.healing.aborted) return;
      await victim.take();
      try {
        await stage.during(victim.id, async () => {
          await victim.terminate();
          await victim.restart();
        });
      } finally {
        victim.release();
      }
    }
  },
  'step-down': (stage) => {
    const { mongo } = stage.cluster;
    return withPrimary(stage, () => stubborn(() => mongo.stepDown()));
  },
  'kill primary': (stage) =>
    withPrimary(stage, async (primary) => {
      const { mongo } = stage.cluster;
      await mongo.kill(primary);
      await lasting(stage);
      await mongo.restart(primary);
    }),
  'freeze primary': (stage) =>
    withPrimary(stage, async (primary) => {
      const { mongo } = stage.cluster;
      mongo.freeze(primary);
      await lasting(stage);
      mongo.thaw(primary);
    }),
  'redis wiped': (stage) => stage.during('redis', () => stage.cluster.redis.flush()),
  'redis restarted': (stage) => stage.during('redis', () => stage.cluster.redis.restart(stage.forMs)),
  'redis paused': (stage) => stage.during('redis', () => stage.cluster.redis.pause(stage.forMs)),
  'supplier errors': (stage) => withCalls(stage, ['error', 'done but error', 'garbage']),
  'supplier hangs': (stage) => withCalls(stage, ['lost', 'silent']),
  'supplier cuts': (stage) => withCalls(stage, ['cut', 'cut reply']),
  'supplier late': (stage) => withCalls(stage, ['done late', 'answered late']),
  'suppliers paused': (stage) =>
    stage.during('suppliers', async () => {
      stage.cluster.suppliers?.signal('SIGSTOP');
      await lasting(stage);
      stage.cluster.suppliers?.signal('SIGCONT');
    }),
  delay: (stage) => withLinks(stage, { kind: 'delay', ms: stage.dice.pick([20, 100, 400]) }),
  cut: (stage) => withLinks(stage, { kind: 'cut' }),
  blackhole: (stage) => withLinks(stage, { kind: 'blackhole' }),
};

async function lasting({ forMs, healing }: Stage): Promise<void> {
  await sleep(forMs, undefined, { signal: healing }).catch(() => {});
}

/** Takes a random instance without a fault, unless it is the last one. */
async function withInstance(stage: Stage, work: (victim: WatchedInstance) => Promise<void>): Promise<void> {
  const { instances, dice, healing } = stage;
  for (;;) {
    const free = instances.filter(({ isTaken }) => !isTaken);
    if (healing.aborted) return;
    if (free.length < 2) {
      await sleep(50);
      continue;
    }
    const victim = dice.pick(free);
    await victim.take();
    try {
      return await stage.during(victim.id, () => work(victim));
    } finally {
      victim.release();
    }
  }
}

/** Resolves when the replica set is complete again, because the next fault must not affect a second member. */
async function withPrimary(stage: Stage, work: (primary: number) => Promise<void>): Promise<void> {
  const { mongo } = stage.cluster;
  const primary = await mongo.primary();
  await stage.during(memberName(primary), () => work(primary));
  await mongo.whole();
}

/** Retries: a step-down is refused while no other member has caught up. */
async function stubborn(work: () => Promise<void>): Promise<void> {
  for (let attemptsLeft = 10; ; attemptsLeft--) {
    try {
      return await work();
    } catch (error) {
      if (attemptsLeft === 0) throw error;
      await sleep(300);
    }
  }
}

async function withCalls(stage: Stage, kinds: readonly CallFault[]): Promise<void> {
  const { network, dice } = stage;
  const { gateway } = network;
  const share = dice.pick([0.1, 0.3, 1]);
  await stage.during('suppliers', async () => {
    gateway.lateMs = () => dice.between(300, 3_000);
    gateway.decide(() => (dice.chance(share) ? dice.pick(kinds) : undefined));
    await lasting(stage);
    gateway.decide(() => undefined);
  });
}

/**
 * All connections of the links or half of them. A server that answers only some requests is worse than one that is
 * down.
 */
async function withLinks(stage: Stage, trouble: Trouble): Promise<void> {
  const { network, dice, lane, cluster } = stage;
  const targets = lane === 'mongodb' ? [await someMember(stage)] : someLinks(stage);
  const share = dice.pick([0.5, 1]);
  const survivors = dice.pick([0, 0.5, 1]);
  await stage.during(targets, async () => {
    for (const name of targets) network.links.get(name)?.suffer(trouble, () => dice.chance(share));
    await lasting(stage);
    for (const name of targets) network.links.get(name)?.mend(() => dice.chance(survivors));
  });
  if (lane === 'mongodb') await cluster.mongo.whole();
}

async function someMember({ cluster, dice }: Stage): Promise<string> {
  const primary = await cluster.mongo.primary();
  return memberName(dice.chance(0.6) ? primary : dice.whole(0, cluster.mongo.ports.length - 1));
}

/** The links of one instance, or of all of them. */
function someLinks({ network, dice, lane }: Stage): string[] {
  const pattern = lane === 'clients' ? /^clients to / : lane === 'redis' ? / to redis$/ : / to suppliers$/;
  const names = [...network.links.keys()].filter((name) => pattern.test(name));
  return lane !== 'clients' && dice.chance(0.3) ? names : [dice.pick(names)];
}

function memberName(member: number): string {
  return `mongod-${member + 1}`;
}
