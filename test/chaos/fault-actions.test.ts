import { expect, it } from 'vitest';
import { Prng } from '../simulation/prng.ts';
import type { ClusterInstance } from '../support/cluster.ts';
import { type FaultContext, faultActions } from './fault-actions.ts';
import type { FaultKind } from './fault-sequences.ts';
import { WatchedInstance } from './watched-instance.ts';

/** A fake cluster that records every fault it is given. */
function stageOf(kind: FaultKind, forMs: number) {
  const done: string[] = [];
  const healing = new AbortController();
  const note = (what: string) => () => {
    done.push(what);
  };
  const instances = ['a', 'b', 'c'].map((id) => {
    const fake = {
      id,
      ended: new Promise(() => {}),
      pause: note(`pause ${id}`),
      resume: note(`resume ${id}`),
    };
    return new WatchedInstance(fake as unknown as ClusterInstance, () => {});
  });
  const cluster = {
    mongo: {
      primary: async () => 1,
      freeze: (member: number) => done.push(`freeze ${member}`),
      thaw: (member: number) => done.push(`thaw ${member}`),
      whole: async () => note('whole')(),
    },
    suppliers: { signal: (signal: string) => done.push(signal) },
  };
  const context = {
    ...{ cluster, instances, forMs, sequence: 'instances', healing: healing.signal, prng: new Prng(1) },
    async during(targets: string | readonly string[], work: () => Promise<void>) {
      await work();
      done.push(`${kind} of ${targets} healed`);
    },
  } as unknown as FaultContext;
  return { context, done, healing, instances, applied: faultActions[kind](context) };
}

it('pauses and resumes one instance, and releases it for the next fault', async () => {
  const { done, applied, instances } = stageOf('pause', 1);
  await applied;
  const id = done[0]?.slice('pause '.length);
  expect(done).toEqual([`pause ${id}`, `resume ${id}`, `pause of ${id} healed`]);
  expect(instances.map(({ isTaken }) => isTaken)).toEqual([false, false, false]);
});

it('never takes the last instance without a fault', async () => {
  const taken = stageOf('pause', 60_000);
  await expect.poll(() => taken.done).toHaveLength(1);
  for (const each of taken.instances) if (!each.isTaken) await each.take();
  const other = faultActions.pause(taken.context);
  taken.healing.abort();
  await Promise.all([taken.applied, other]);
  expect(taken.done).toHaveLength(3);
});

it.each<[FaultKind, string[]]>([
  ['freeze primary', ['freeze 1', 'thaw 1', 'freeze primary of mongod-2 healed', 'whole']],
  ['suppliers paused', ['SIGSTOP', 'SIGCONT', 'suppliers paused of suppliers healed']],
])('heals %s as soon as healing begins', async (kind, expected) => {
  const { applied, done, healing } = stageOf(kind, 60_000);
  await expect.poll(() => done).toHaveLength(1);
  healing.abort();
  await applied;
  expect(done).toEqual(expected);
});
