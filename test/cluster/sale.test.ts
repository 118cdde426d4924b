import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { orderSignature } from '../../src/http/order-access.ts';
import {
  type Attempt,
  attemptPurchase,
  checkHistory,
  countAnswers,
  expectCleanAudit,
  startBuyers,
  waitUntil,
  waitUntilSettled,
} from '../support/buyers.ts';
import { type Cluster, type EngineName, startCluster } from '../support/cluster.ts';
import { onSale } from '../support/server.ts';

vi.setConfig({ testTimeout: 90_000 });

const secret = 'everybody-in-this-cluster-signs-with-this';
const hot = { id: 1, quota: 50 };
const others = Array.from({ length: 20 }, (_, index) => ({ id: index + 2, quota: 5 }));
/** Not on sale in the rush: the tests beside it have their own. */
const quiet = { id: 100, quota: 10 };
const purchases = 5_000;
/** Half of the interval after which a viewer without live updates reads the store again. */
const liveMs = 2_000;

const engines: readonly EngineName[] = ['actor', 'lock', 'queue'];

describe.each(engines)('three instances, engine %s', (engine) => {
  let cluster: Cluster;

  beforeAll(async () => {
    const packages = [hot, ...others, quiet].map((each) => onSale(each));
    const settings = {
      SECRET: secret,
      LEASE_TTL_MS: '2000',
      RATE_LIMIT: 'off',
      FLIGHT_FAILURE_RATE: '0.5',
      // One after the other, its consumer would take minutes for as many as wait elsewhere.
      ...(engine === 'queue' ? { WAITERS_PER_UNIT: '4' } : { SUPPLIER_LATENCY_MS: '5' }),
    };
    cluster = await startCluster({ instances: 3, engine, packages, settings });
  });
  afterAll(() => cluster?.end());

  it('Q1 Q3 Q4 Q5 Q7 Q8 hold for 5,000 buyers at all instances', async () => {
    // Every package gets its owner first, so that the share of the others can be counted.
    for (const { id } of [hot, ...others]) await buy(id, `first-of-${id}`);
    const ownersBefore = await owners();
    const crowd = startBuyers({
      origins: () => cluster.origins,
      packageOf: (nth) => (nth % 2 === 0 ? hot.id : (others[(nth >> 1) % others.length]?.id as number)),
      concurrency: 500,
      purchases,
    });
    const history = await crowd.done;
    await waitUntilSettled(cluster);

    if (engine === 'actor') {
      // On a busy machine a package may move: then neither of its owners counts as elsewhere.
      const ownersAfter = await owners();
      const elsewhere = history.filter(
        ({ packageId, origin }) =>
          ownersBefore.get(packageId) !== origin && ownersAfter.get(packageId) !== origin,
      );
      const moved = [...ownersBefore].filter(([id, owner]) => ownersAfter.get(id) !== owner).length;
      expect(elsewhere.length).toBeGreaterThanOrEqual(history.length / (moved === 0 ? 2 : 4));
    }
    expect(strange(history, engine)).toEqual({});
    for (const { id, quota } of [hot, ...others]) {
      const { inventory } = (await cluster.store.package(id)) ?? {};
      expect(inventory, `package ${id}`).toMatchObject({ held: 0, waiting: 0 });
      expect(inventory?.confirmed).toBeLessThanOrEqual(quota);
      if (engine === 'actor') expect(inventory?.confirmed).toBe(quota);
    }
    await checkHistory(cluster, history);
    if (engine !== 'lock') for (const { id } of [hot, ...others]) await checkNumbers(id);
    await expectCleanAudit(cluster);
  });

  it('Q7 300 concurrent requests with one key at three instances get the same order', async () => {
    const purchase = { packageId: quiet.id, email: 'ana@example.com', key: 'one-key-for-all' };
    const all = await Promise.all(
      Array.from({ length: 300 }, (_, nth) => attemptPurchase(cluster.origins[nth % 3] as string, purchase)),
    );
    expect(Object.keys(countAnswers(all))).toHaveLength(1);
    expect(new Set(all.map(({ answer }) => answer?.text)).size).toBe(1);
    expect(all[0]?.answer?.order?.id).toBeDefined();
    expect(await cluster.store.ordersByKey(quiet.id, [purchase.key])).toHaveLength(1);
  });

  it('shows updates of an order and its package to a viewer on another instance', async () => {
    await buy(quiet.id, 'to-have-an-owner');
    const owner = await cluster.ownerOf(quiet.id);
    const away = cluster.instances.find(({ id }) => id !== owner?.id)?.origin as string;
    await using packageViewer = await viewer(away, `topic=package:${quiet.id}`);
    for (let tries = 0; ; tries++) {
      const seenBefore = packageViewer.seen.length;
      const { answer } = await attemptPurchase(owner?.origin ?? away, {
        packageId: quiet.id,
        email: 'ben@example.com',
        key: `ben-${tries}`,
        prefer: 'respond-async',
      });
      const order = answer?.order;
      expect(answer?.status).toBe(202);
      await using orderViewer = await viewer(
        away,
        `topic=order:${order?.id}&proof=${orderSignature(secret, order?.id as string)}`,
      );
      await waitUntil('the outcome on the other instance', liveMs, async () =>
        orderViewer.seen.some((text) => /confirmed|no seat/i.test(text)),
      );
      await waitUntil('the package on the other instance', liveMs, async () =>
        packageViewer.seen.slice(seenBefore).some((text) => text.includes(`stay-${quiet.id}`)),
      );
      if (orderViewer.seen.some((text) => /F[0-9A-Z]{16}/.test(text)) || tries > 8) break;
    }
  });

  /** At an instance chosen by the package; returns when it has an outcome. */
  function buy(packageId: number, key: string): Promise<Attempt> {
    const origin = cluster.origins[packageId % 3] as string;
    return attemptPurchase(origin, { packageId, email: 'first@example.com', key });
  }

  async function owners(): Promise<Map<number, string | undefined>> {
    const ids = [hot, ...others].map(({ id }) => id);
    return new Map(
      await Promise.all(ids.map(async (id) => [id, (await cluster.ownerOf(id))?.origin] as const)),
    );
  }

  /** Q5: numbers have no gap, and no order got a unit before a rejected order with a lower number. */
  async function checkNumbers(packageId: number): Promise<void> {
    const { items } = await cluster.store.ordersPage(packageId, undefined, 10_000);
    expect(items.map(({ number }) => number)).toEqual(items.map((_, index) => index + 1));
    const gotUnit = items.filter(({ timeline }) => timeline.some(({ event }) => event === 'claimed'));
    const inVain = items.find(({ status }) => status === 'rejected');
    expect(gotUnit.at(-1)?.number).toBeLessThan(inVain?.number ?? Number.POSITIVE_INFINITY);
    const claimedAt = gotUnit.map(
      ({ timeline }) => timeline.find(({ event }) => event === 'claimed')?.at ?? 0,
    );
    expect(claimedAt).toEqual(claimedAt.toSorted((one, other) => one - other));
  }
});

/** Counts answers that may not occur in a sale without faults. */
function strange(history: readonly Attempt[], engine: EngineName): Record<string, number> {
  const usual = ['201', '202', '409 sold_out', '409 queue_full', '502 supplier_failed'];
  // A purchase that does not get the lock in time is answered 503.
  if (engine === 'lock') usual.push('503 overloaded');
  return Object.fromEntries(Object.entries(countAnswers(history)).filter(([name]) => !usual.includes(name)));
}

interface SocketViewer extends AsyncDisposable {
  readonly seen: readonly string[];
}

async function viewer(origin: string, query: string): Promise<SocketViewer> {
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/live?${query}`);
  const seen: string[] = [];
  socket.on('message', (bytes) => seen.push(String(bytes)));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return { seen, [Symbol.asyncDispose]: async () => socket.terminate() };
}
