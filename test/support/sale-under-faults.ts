import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import {
  type Attempt,
  type Buyers,
  checkHistory,
  expectCleanAudit,
  isAccepted,
  startBuyers,
  waitUntil,
  waitUntilSettled,
} from './buyers.ts';
import { type Cluster, type ClusterInstance, startCluster } from './cluster.ts';
import { onSale } from './server.ts';

export async function isReady(origin: string): Promise<boolean> {
  return fetch(`${origin}/readyz`).then(
    async (answer) => {
      await answer.body?.cancel();
      return answer.ok;
    },
    () => false,
  );
}

const definite = [201, 202, 502, 409];

/** Expects every answer to be definite, or a 503 problem with Retry-After. */
export function expectRetryableAnswers(history: readonly Attempt[]): void {
  const others = history.filter(({ answer }) => answer !== undefined && !definite.includes(answer.status));
  for (const { answer } of others) {
    expect(answer).toMatchObject({
      status: 503,
      contentType: 'application/problem+json',
      retryAfter: expect.stringMatching(/^\d+$/),
      code: expect.stringMatching(/^(overloaded|no_owner|store_unavailable|not_ready)$/),
    });
  }
  const silent = history.filter(({ answer }) => answer === undefined);
  expect(silent).toEqual([]);
}

/** Expects that an order and the packages can be read. */
export async function expectReadsWork(origin: string, accepted: Attempt | undefined): Promise<void> {
  const { order } = accepted?.answer ?? {};
  const email = encodeURIComponent(order?.email ?? '');
  const found = await fetch(`${origin}/api/orders/${order?.id}?email=${email}`);
  expect([found.status, ((await found.json()) as { id?: string }).id]).toEqual([200, order?.id]);
  const packages = await fetch(`${origin}/api/packages`);
  expect(packages.status).toBe(200);
  await packages.body?.cancel();
}

export interface SaleUnderFaultsOptions {
  /** Members of the MongoDB replica set. */
  readonly members: 1 | 3;
  /** Number of packages on sale, with ids from 1. */
  readonly packages: number;
  /** Number of concurrent buyers. */
  readonly concurrency: number;
  /** Timeout of each part of a recovery. */
  readonly timeoutMs: number;
}

/** Three instances under load. The constructor registers the hooks of the calling test file. */
export class SaleUnderFaults {
  /** An instance that gets no more purchases. */
  leaving: ClusterInstance | undefined;
  readonly #options: SaleUnderFaultsOptions;
  #cluster: Cluster | undefined;
  #crowd: Buyers | undefined;

  constructor(options: SaleUnderFaultsOptions) {
    this.#options = options;
    beforeAll(async () => {
      this.#cluster = await startCluster({
        instances: 3,
        members: options.members,
        packages: Array.from({ length: options.packages }, (_, index) =>
          onSale({ id: index + 1, quota: 20_000 }),
        ),
        settings: { LEASE_TTL_MS: '2000', RATE_LIMIT: 'off', FLIGHT_FAILURE_RATE: '0.2' },
      });
    });
    afterAll(() => this.#cluster?.end());
    beforeEach(() => this.#open());
    afterEach(() => this.#crowd?.stop());
  }

  get cluster(): Cluster {
    return this.#cluster as Cluster;
  }

  /** Buyers of every package at every instance. */
  get buyers(): Buyers {
    return this.#crowd as Buyers;
  }

  /** Expects that every instance sells every package again, and that no order is lost. */
  async expectRecovery(): Promise<void> {
    const { packages, timeoutMs } = this.#options;
    const { cluster, buyers } = this;
    const mendedAt = Date.now();
    await waitUntil('every instance to be ready', timeoutMs, async () =>
      (await Promise.all(cluster.origins.map(isReady))).every(Boolean),
    );
    await waitUntil('sales of every package at every instance', timeoutMs, async () => {
      const since = buyers.history.filter((each) => each.sentAt > mendedAt && isAccepted(each));
      const pairs = new Set(since.map(({ packageId, origin }) => `${packageId} ${origin}`));
      return pairs.size === packages * cluster.origins.length;
    });
    const history = await buyers.stop();
    await waitUntilSettled(cluster);
    expectRetryableAnswers(history);
    await checkHistory(cluster, history);
    await expectCleanAudit(cluster);
  }

  /** Starts the buyers and waits for the first sales. */
  async #open(): Promise<void> {
    const { packages, concurrency } = this.#options;
    const crowd = startBuyers({
      origins: () =>
        this.cluster.instances.filter((each) => each !== this.leaving).map(({ origin }) => origin),
      packageOf: (nth) => (Math.floor(nth / 3) % packages) + 1,
      concurrency,
      pauseMs: 50,
    });
    this.#crowd = crowd;
    await waitUntil('some sales', 20_000, async () => crowd.history.filter(isAccepted).length > 100);
  }
}
