import { expect, it } from 'vitest';
import { runAudit } from '../support/audit.ts';
import { startCluster } from '../support/cluster.ts';
import { expectPaidSale, paidSale } from '../support/paid-sale.ts';

it('Q1 Q4 Q6 Q11 of 500 buyers, of whom a third never pays, five get and pay what there is although the owner is killed', async () => {
  const { packages, settings } = paidSale;
  await using cluster = await startCluster({
    instances: 3,
    packages,
    settings: { ...settings, LEASE_TTL_MS: '2000', PUBLIC_ORIGIN: 'http://tickets.example' },
  });
  let killed: string | undefined;
  await expectPaidSale({
    origins: () => cluster.instances.filter(({ isRunning }) => isRunning).map(({ origin }) => origin),
    async inTheMiddle() {
      const owner = await cluster.ownerOf(1);
      killed = owner?.id;
      await owner?.kill();
    },
  });
  expect((await cluster.ownerOf(1))?.id).not.toBe(killed);
  const { mongo, suppliersUrl } = cluster;
  const audited = { DATABASE_URL: mongo.url, SUPPLIERS_URL: suppliersUrl, PAYMENTS: 'simulated' };
  const { report } = await runAudit(audited);
  // Every payment that is neither of the five is void or refunded.
  expect(report).toMatchObject({ ok: true, findings: [], suppliersRead: true, payments: 5 });
});
