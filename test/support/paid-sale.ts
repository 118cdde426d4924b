import { expect } from 'vitest';
import type { PackageView } from '../../src/http/api/views.ts';
import { lookUp } from './api-client.ts';
import { isAccepted, startBuyers, waitUntil } from './buyers.ts';
import { onSale } from './server.ts';

const buyers = 500;
const quota = 5;

/** The package of the sale, and the settings of its servers. A third of the buyers never pays, and others are declined. */
export const paidSale = {
  packages: [onSale({ id: 1, quota, price: 120 })],
  settings: {
    ...{ PAYMENTS: 'simulated', CURRENCY: 'EUR', FLIGHT_FAILURE_RATE: '0', RATE_LIMIT: 'off' },
    ...{ PAYMENT_WINDOW: '1s', PAYMENT_PAY_RATE: '0.2', PAYMENT_DECLINE_RATE: '0.45' },
    WAITERS_PER_UNIT: String(buyers / quota),
  },
} as const;

export interface PaidSaleOptions {
  /** The origins to buy from, read for each request. */
  readonly origins: () => readonly string[];
  /** Called when some orders are paid and others wait for a place. */
  readonly inTheMiddle?: () => Promise<void>;
}

/**
 * Expects that of 500 buyers of five places, of whom a third never pays, exactly five get and pay one, and that all others
 * fail or come too late. An audit has to compare their payments with the ledger.
 */
export async function expectPaidSale({ origins, inTheMiddle }: PaidSaleOptions): Promise<void> {
  const crowd = startBuyers({
    ...{ origins, packageOf: () => 1, concurrency: buyers, purchases: buyers },
    prefer: 'respond-async',
  });
  const inventoryIs = (what: string, timeoutMs: number, condition: (shown: PackageView) => boolean) =>
    waitUntil(what, timeoutMs, async () => {
      const answer = await fetch(`${origins()[0]}/api/packages/1`);
      return condition((await answer.json()) as PackageView);
    });
  if (inTheMiddle !== undefined) {
    await inventoryIs('the first payment', 30_000, ({ confirmed, waiting }) => confirmed > 0 && waiting > 0);
    await inTheMiddle();
  }
  const accepted = (await crowd.done).filter(isAccepted);
  expect(accepted.length).toBeGreaterThan(0.8 * buyers);
  await inventoryIs(
    'the sell-out',
    60_000,
    ({ confirmed, held, waiting }) => confirmed === quota && held + waiting === 0,
  );
  const orders = await Promise.all(
    accepted.map(async ({ answer, email }) => {
      const found = await lookUp(origins()[0] as string, answer?.order?.id ?? '', email);
      return found.order;
    }),
  );
  const ended = Map.groupBy(orders, (order) => order?.status);
  expect([...ended.keys()].toSorted()).toEqual(['confirmed', 'failed', 'rejected']);
  expect(ended.get('confirmed')).toHaveLength(quota);
  const reasons = new Set(ended.get('failed')?.map((order) => order?.reason));
  expect([...reasons].toSorted()).toEqual(['payment_declined', 'payment_expired']);
}
