import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { attemptPurchase, isAccepted, waitUntil } from '../support/buyers.ts';
import { expectReadsWork, expectRetryableAnswers, SaleUnderFaults } from '../support/sale-under-faults.ts';

const sale = new SaleUnderFaults({ members: 1, packages: 6, concurrency: 30, timeoutMs: 15_000 });

it('Q3 Q6 Q7 Q8 Redis is wiped under load: nothing is lost', async () => {
  for (let times = 0; times < 3; times++) {
    await sale.cluster.redis.flush();
    await sleep(700);
  }
  await sale.expectRecovery();
});

it('Q3 Q6 Q7 Q8 Redis is restarted, empty, under load: nothing is lost', async () => {
  await sale.cluster.redis.restart(1_000);
  await sale.expectRecovery();
});

it('Q3 Q6 Q7 Q8 while Redis hangs for 8 s purchases succeed or get 503, look-ups work, and /readyz fails', async () => {
  const accepted = sale.buyers.history.find(isAccepted);
  const paused = sale.cluster.redis.pause(8_000);
  await waitUntil('/readyz to say so', 6_000, async () => {
    const answers = await Promise.all(sale.cluster.origins.map((origin) => fetch(`${origin}/readyz`)));
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    return answers.every(({ status }) => status === 503) && texts.every((text) => text.includes('Redis'));
  });
  for (const origin of sale.cluster.origins) await expectReadsWork(origin, accepted);
  await paused;
  await sale.expectRecovery();
});

it('an instance that starts without Redis is not ready, and sells once Redis is up', async () => {
  const [instance] = sale.cluster.instances;
  sale.leaving = instance;
  expect(await instance?.terminate()).toBe(0);
  await sale.cluster.redis.kill();
  await instance?.restart();
  sale.leaving = undefined;
  const origin = instance?.origin as string;
  const readyz = await fetch(`${origin}/readyz`);
  expect([readyz.status, await readyz.text()]).toEqual([503, expect.stringContaining('Redis')]);
  const early = await attemptPurchase(origin, { packageId: 1, email: 'early@example.com', key: 'early' });
  expectRetryableAnswers([early]);
  await expectReadsWork(origin, sale.buyers.history.find(isAccepted));
  await sale.cluster.redis.restart();
  await sale.expectRecovery();
});
