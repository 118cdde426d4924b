import type { LoadBalancer } from './load-balancer.ts';
import type { Prng } from './prng.ts';
import type { Sale } from './sale.ts';
import { epochMs, type World } from './world.ts';

/** Updates a random package once: pauses or resumes the sale, moves its times or changes the quota. */
export async function updateSomePackage(
  world: World,
  balancer: LoadBalancer,
  sale: Sale,
  prng: Prng,
): Promise<void> {
  const instance = balancer.pickInstance();
  if (instance === undefined) return;
  const { engine } = instance;
  const { id } = prng.pick(sale.packages);
  const snapshot = await balancer.withTimeout(
    instance,
    engine.package(id).catch(() => undefined),
  );
  if (snapshot === undefined) return;
  const { version, paused, opensAt, closesAt, quota } = snapshot.package;
  const change = () => {
    if (paused === true) return { paused: false };
    if (opensAt !== undefined || closesAt !== undefined) return { opensAt: null, closesAt: null };
    const choice = prng.fraction();
    const soon = Math.round(epochMs + world.scheduler.now + 2_000);
    if (choice < 0.25) return { paused: true };
    if (choice < 0.35) return { opensAt: soon };
    if (choice < 0.45) return { closesAt: soon };
    return { quota: Math.max(0, quota + prng.whole(-3, 5)) };
  };
  const answer = await balancer.withTimeout(instance, engine.updatePackage(id, { version, ...change() }));
  if (answer === undefined) return;
  world.counters.count(`amend ${answer.kind === 'refused' ? answer.code : 'done'}`);
}
