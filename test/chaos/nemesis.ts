import { setTimeout as sleep } from 'node:timers/promises';
import { Prng } from '../simulation/prng.ts';
import type { Cluster } from '../support/cluster.ts';
import { faultActions } from './fault-actions.ts';
import { faultSequences, type SequenceName } from './fault-sequences.ts';
import type { FaultEntry } from './history.ts';
import type { Network } from './network.ts';
import type { PlannedFault } from './schedule.ts';
import type { WatchedInstance } from './watched-instance.ts';

export interface NemesisOptions {
  readonly cluster: Cluster;
  readonly network: Network;
  readonly instances: readonly WatchedInstance[];
  readonly schedule: readonly PlannedFault[];
  /** Picks a package that many buyers buy. */
  readonly pickPackage: () => number;
  /** The clients' clock. */
  readonly now: () => number;
  /** Called with each fault after it is healed. */
  readonly onFault: (entry: FaultEntry) => void;
}

/**
 * Applies the scheduled faults to the cluster, with all sequences in parallel. A fault may be late, because the fault
 * before took longer to heal. A late fault starts at once, and no fault is skipped.
 * @param healing ends the schedule early and heals all faults.
 * @throws Error when a fault cannot be healed.
 */
export async function runNemesis(options: NemesisOptions, healing: AbortSignal): Promise<void> {
  const startedAt = performance.now();
  const names = Object.keys(faultSequences) as SequenceName[];
  const done = await Promise.allSettled(
    names.map((sequence) => runSequence(sequence, options, startedAt, healing)),
  );
  for (const each of done) if (each.status === 'rejected') throw each.reason;
}

async function runSequence(
  sequence: SequenceName,
  options: NemesisOptions,
  startedAt: number,
  healing: AbortSignal,
): Promise<void> {
  for (const planned of options.schedule) {
    if (planned.sequence !== sequence) continue;
    const early = startedAt + planned.at - performance.now();
    if (early > 0) await sleep(early, undefined, { signal: healing }).catch(() => {});
    if (healing.aborted) return;
    await applyFault(planned, options, healing);
  }
}

async function applyFault(
  { kind, sequence, forMs, seed }: PlannedFault,
  options: NemesisOptions,
  healing: AbortSignal,
): Promise<void> {
  const { cluster, network, instances, pickPackage, now, onFault } = options;
  await faultActions[kind]({
    cluster,
    network,
    instances,
    pickPackage,
    healing,
    sequence,
    forMs,
    prng: new Prng(seed),
    async during(targets, work) {
      const at = now();
      await work();
      const until = now();
      for (const target of [targets].flat()) onFault({ kind: 'fault', at, until, fault: kind, target });
    },
  });
}
