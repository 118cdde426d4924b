import type { TravelPackage } from '../../src/domain/travel-package.ts';
import { type Cluster, type EngineName, startCluster } from '../support/cluster.ts';
import { leaseTtlMs } from './fault-sequences.ts';
import { type Network, startNetwork } from './network.ts';

/** The cluster under test and its network. */
export interface ChaosCluster extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly network: Network;
  /** The instances' origins for clients. */
  readonly origins: readonly string[];
}

/** The value of the server's setting `WAITERS_PER_UNIT`. */
export const waitersPerUnit = 64;

/** The token of the operators. */
export const adminToken = 'chaos-admin-token-of-many-letters';

/** Settings with short timeouts, so that failures occur soon. */
const settings = {
  WAITERS_PER_UNIT: String(waitersPerUnit),
  LEASE_TTL_MS: String(leaseTtlMs),
  RATE_LIMIT: 'off',
  ADMIN_TOKEN: adminToken,
  SUPPLIER_TIMEOUT_MS: '500',
  SUPPLIER_LATENCY_MS: '10',
  FLIGHT_FAILURE_RATE: '0.2',
  HOTEL_FAILURE_RATE: '0.03',
};

/** Starts three instances, with the queue engine a consumer too, a replica set of three members, Redis and the suppliers. */
export async function startChaosCluster(
  engine: EngineName,
  packages: readonly TravelPackage[],
  onProgress: (line: string) => void,
): Promise<ChaosCluster> {
  await using parts = new AsyncDisposableStack();
  const network = parts.use(await startNetwork());
  const cluster = parts.use(
    await startCluster({
      instances: 3,
      engine,
      members: 3,
      packages,
      settings,
      network,
      // Ctrl-C must reach only this process, because it ends the other processes in the right order.
      detached: true,
      onProgress: (what) => onProgress(`starting ${what} …`),
    }),
  );
  const origins: string[] = [];
  for (const { origin, id } of cluster.instances) origins.push(await network.toInstance(origin, id));
  const all = parts.move();
  return { cluster, network, origins, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
