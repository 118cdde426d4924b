import { expect, it, vi } from 'vitest';
import { attemptPurchase, waitUntil } from '../support/buyers.ts';
import { expectRetryableAnswers, isReady, SaleUnderFaults } from '../support/sale-under-faults.ts';

/** Elections, and the driver's noticing, take their time. */
vi.setConfig({ testTimeout: 90_000 });

const sale = new SaleUnderFaults({ members: 3, packages: 3, concurrency: 20, timeoutMs: 30_000 });

it('Q3 Q6 Q7 Q8 the primary of MongoDB steps down under load: nothing is lost', async () => {
  await sale.cluster.mongo.stepDown();
  await sale.expectRecovery();
});

it('Q3 Q6 Q7 Q8 the primary of MongoDB is killed under load: nothing is lost', async () => {
  const primary = await sale.cluster.mongo.primary();
  await sale.cluster.mongo.kill(primary);
  await sale.expectRecovery();
  await sale.cluster.mongo.restart(primary);
});

it('Q3 Q6 Q7 Q8 while MongoDB is down purchases get 503 and /readyz fails, also at a start', async () => {
  await sale.cluster.mongo.primary();
  for (const member of [0, 1, 2]) await sale.cluster.mongo.kill(member);
  await waitUntil('/readyz to say so', 15_000, async () => {
    const answers = await Promise.all(sale.cluster.origins.map((origin) => fetch(`${origin}/readyz`)));
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    return answers.every(({ status }) => status === 503) && texts.every((text) => /store|MongoDB/.test(text));
  });
  const [last] = sale.cluster.instances.slice(-1);
  sale.leaving = last;
  expect(await last?.terminate()).toBe(0);
  await last?.restart();
  const early = await attemptPurchase(last?.origin as string, {
    packageId: 1,
    email: 'early@example.com',
    key: 'early',
  });
  expect(early.answer?.status).toBe(503);
  expectRetryableAnswers([early]);
  for (const member of [0, 1, 2]) await sale.cluster.mongo.restart(member);
  await waitUntil('the new one to be ready', 30_000, () => isReady(last?.origin as string));
  sale.leaving = undefined;
  await sale.expectRecovery();
});
