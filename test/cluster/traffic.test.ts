import { afterEach, expect, it } from 'vitest';
import { preference } from '../../src/engine/actor/candidates.ts';
import {
  attemptPurchase,
  type Buyers,
  checkHistory,
  countAnswers,
  expectCleanAudit,
  startBuyers,
  waitUntil,
  waitUntilSettled,
} from '../support/buyers.ts';
import { type Cluster, type ClusterInstance, startCluster } from '../support/cluster.ts';
import { onSale } from '../support/server.ts';

const ids = Array.from({ length: 8 }, (_, index) => index + 1);
let cluster: Cluster;
let buyers: Buyers | undefined;

afterEach(async () => {
  await buyers?.stop();
  await cluster?.end();
});

it('Q3 Q6 Q7 packages follow their purchases to another instance and stay there, and no request is lost', async () => {
  cluster = await startCluster({
    instances: 2,
    packages: ids.map((id) => onSale({ id, quota: 100_000 })),
    settings: { RATE_LIMIT: 'off', FLIGHT_FAILURE_RATE: '0', SUPPLIER_LATENCY_MS: '0', LOG_LEVEL: 'info' },
  });
  // As behind a proxy that sends all purchases of these packages to the same instance.
  const [one, two] = cluster.instances as [ClusterInstance, ClusterInstance];
  const sold = ids.filter((id) => preference(id, [one.id, two.id])[0] === two.id).slice(0, 2);
  const owners = () => Promise.all(sold.map((id) => cluster.ownerOf(id)));
  const first = { email: 'first@example.com', key: 'first' };
  for (const packageId of sold) await attemptPurchase(two.origin, { packageId, ...first });
  expect(await owners()).toEqual([two, two]);
  buyers = startBuyers({
    origins: () => [one.origin],
    packageOf: (nth) => sold[nth % sold.length] as number,
    concurrency: 40,
    pauseMs: 20,
  });
  await waitUntil('the other one', 60_000, async () => (await owners()).every((each) => each === one));
  const epochs = await epochsOf();
  // Longer than the time after which packages move to the instances that they prefer.
  const before = buyers.history.length;
  const since = Date.now();
  await waitUntil('further sales', 60_000, async () => Date.now() - since > 15_000);
  expect(buyers.history.length).toBeGreaterThan(before + 100);
  expect(await epochsOf()).toEqual(epochs);

  const history = await buyers.stop();
  // On a busy machine some outcomes come after the wait of the request.
  expect(Object.keys(countAnswers(history)).filter((name) => name !== '201' && name !== '202')).toEqual([]);
  await waitUntilSettled(cluster);
  await checkHistory(cluster, history);
  await expectCleanAudit(cluster);
});

/** Each takeover raises the epoch of its package. */
async function epochsOf(): Promise<(number | undefined)[]> {
  const { items } = await cluster.store.ownersPage(undefined, 100);
  return items.map(({ epoch }) => epoch);
}
