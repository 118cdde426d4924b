import type { TravelPackage } from '../../src/domain/travel-package.ts';
import { type Cluster, type EngineName, startCluster } from '../support/cluster.ts';
import { type EventRelay, type EventRelayOptions, startEventRelay } from './event-relay.ts';
import { leaseTtlMs } from './fault-sequences.ts';
import { type Network, startNetwork } from './network.ts';

/** The cluster under test and its network. */
export interface ChaosCluster extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly network: Network;
  /** The instances' origins for clients. */
  readonly origins: readonly string[];
  /** The way of the payment provider's events. Absent without payments. */
  readonly events: EventRelay | undefined;
}

/** The value of the server's setting `WAITERS_PER_UNIT`. */
export const waitersPerUnit = 64;

/** The token of the operators. */
export const adminToken = 'chaos-admin-token-of-many-letters';

/** How long a payment is due, in ms. Short, so that many payments expire within a run. */
export const paymentWindowMs = 8_000;

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
  PAYMENT_WINDOW: `${paymentWindowMs}ms`,
  PAYMENTS_WEBHOOK_SECRET: Buffer.from('chaos-secret-of-24-bytes').toString('base64'),
};

export interface ChaosClusterOptions {
  readonly engine: EngineName;
  readonly packages: readonly TravelPackage[];
  /** Orders have to be paid, and the provider's events get lost or altered on their way. Absent: payments are off. */
  readonly payments?: EventRelayOptions;
  readonly onProgress: (line: string) => void;
}

/**
 * Starts three instances, with the queue engine a consumer too, a replica set of three members, Redis, and the suppliers,
 * which are the payment provider too.
 */
export async function startChaosCluster(options: ChaosClusterOptions): Promise<ChaosCluster> {
  const { engine, packages, payments, onProgress } = options;
  await using parts = new AsyncDisposableStack();
  const network = parts.use(await startNetwork());
  const events = payments && parts.use(await startEventRelay(payments));
  const cluster = parts.use(
    await startCluster({
      instances: 3,
      engine,
      members: 3,
      packages,
      settings,
      ...(events === undefined ? {} : { payments: { eventsUrl: events.url } }),
      network,
      // Ctrl-C must reach only this process, because it ends the other processes in the right order.
      detached: true,
      onProgress: (what) => onProgress(`starting ${what} …`),
    }),
  );
  const origins: string[] = [];
  for (const { origin, id } of cluster.instances) origins.push(await network.toInstance(origin, id));
  if (events !== undefined) events.origins = origins;
  const all = parts.move();
  return { cluster, network, origins, events, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
