import { describe, expect, test } from 'vitest';
import { DecideFixture } from '../../test/support/decide-fixture.ts';

const payments = { provider: 'simulated', currency: 'EUR', minorPerUnit: 100, windowMs: 300_000 };

/** A package with one order that is payable since 1,001. */
async function payable(quota = 1): Promise<DecideFixture> {
  const bench = new DecideFixture({ quota, price: 120 }, { payments });
  await bench.batch(bench.purchase());
  await bench.batch(bench.paymentDue('order-1'));
  return bench;
}

const inventoryOf = ({ state: { inventory } }: DecideFixture) => inventory;

describe('a payment', () => {
  test('is part of each new order, in minor units, unless the order costs nothing', async () => {
    const bench = new DecideFixture({ price: 120 }, { payments });
    await bench.batch(bench.purchase());
    expect(bench.stored.get('order-1')?.payment).toMatchObject({ amount: 12_000, currency: 'EUR' });
    const free = new DecideFixture({ price: 0 }, { payments });
    await free.batch(free.purchase());
    expect(free.stored.get('order-1')).not.toHaveProperty('payment');
  });

  test('Q11 names its provider once the order has a unit, and keeps it under another provider', async () => {
    const bench = new DecideFixture({ quota: 1, price: 120 }, { payments });
    await bench.batch(bench.purchase(), bench.purchase());
    const providerOf = (id: string) => bench.stored.get(id)?.payment?.provider;
    expect([providerOf('order-1'), providerOf('order-2')]).toEqual(['simulated', undefined]);
    Object.assign(bench.rules, { payments: { ...payments, provider: 'https://pay.example' } });
    await bench.batch(bench.paymentDue('order-1'));
    await bench.batch(bench.unpaid('order-1'));
    await bench.batch(bench.compensated('order-1'));
    expect(bench.stored.get('order-2')?.status).toBe('held');
    expect([providerOf('order-1'), providerOf('order-2')]).toEqual(['simulated', 'https://pay.example']);
  });

  test('Q11 of an order that got its unit under an older release names its provider when it is due', async () => {
    const bench = new DecideFixture({ price: 120 }, { payments });
    await bench.batch(bench.purchase());
    const { payment: _, ...order } = bench.stored.get('order-1')!;
    bench.stored.set('order-1', { ...order, payment: { amount: 12_000, currency: 'EUR' } });
    bench.takeover();
    await bench.batch(bench.paymentDue('order-1'));
    expect(bench.stored.get('order-1')?.payment?.provider).toBe('simulated');
  });

  test('is not demanded of an order that was made while payments were off', async () => {
    const bench = new DecideFixture({ price: 120 });
    await bench.batch(bench.purchase());
    await bench.batch(bench.paymentDue('order-1'));
    expect(bench.stored.get('order-1')).toMatchObject({ status: 'held' });
    expect(bench.stored.get('order-1')).not.toHaveProperty('payment');
  });

  test('Q1 Q11 is due for the window, while the unit stays held', async () => {
    const bench = new DecideFixture({ quota: 1, price: 120 }, { payments });
    await bench.batch(bench.purchase());
    const step = await bench.batch(bench.paymentDue('order-1'));
    expect(bench.stored.get('order-1')).toMatchObject({
      status: 'payable',
      payment: { amount: 12_000, currency: 'EUR', url: 'https://pay.example/1', payBy: 1_001 + 300_000 },
      flight: { ticketNumber: 'F1' },
      hotel: { reservationNumber: 'H1' },
    });
    expect(inventoryOf(bench)).toMatchObject({ held: 1, confirmed: 0, remaining: 0 });
    expect(step.effects).toMatchObject([{ kind: 'awaitPayment', order: { id: 'order-1' } }]);
  });

  test('lets a cancel succeed that an earlier one in the same batch came too early for', async () => {
    const bench = new DecideFixture({ price: 120 }, { payments });
    await bench.batch(bench.purchase());
    const [early, later] = [bench.cancel('order-1'), bench.cancel('order-1')];
    await bench.batch(early, bench.paymentDue('order-1'), later);
    expect(bench.answers.slice(-2)).toMatchObject([
      { kind: 'refused', code: 'in_progress', order: { status: 'held' } },
      { kind: 'accepted', order: { status: 'compensating', reason: 'payment_abandoned' } },
    ]);
  });

  test('Q11 confirms the order once it is paid', async () => {
    const bench = await payable();
    const step = await bench.batch(bench.paid('order-1'));
    expect(bench.stored.get('order-1')?.status).toBe('confirmed');
    expect(inventoryOf(bench)).toMatchObject({ held: 0, confirmed: 1 });
    expect(step.effects).toEqual([]);
  });

  test.each(['payment_declined', 'payment_expired'] as const)(
    'Q11 compensates the order for %s, and its unit goes to the next order in the queue',
    async (reason) => {
      const bench = await payable();
      await bench.batch(bench.purchase());
      const step = await bench.batch(bench.unpaid('order-1', reason));
      expect(bench.stored.get('order-1')).toMatchObject({ status: 'compensating', reason });
      expect(step.effects).toMatchObject([{ kind: 'compensate', order: { id: 'order-1' } }]);
      expect(bench.stored.get('order-2')?.status).toBe('queued');
      await bench.batch(bench.compensated('order-1'));
      expect(bench.stored.get('order-1')).toMatchObject({ status: 'failed', reason });
      expect(bench.stored.get('order-2')?.status).toBe('held');
    },
  );

  test('Q11 that comes after the buyer has cancelled the payable order confirms nothing', async () => {
    const bench = await payable();
    const step = await bench.batch(bench.cancel('order-1'), bench.paid('order-1'));
    expect(bench.stored.get('order-1')).toMatchObject({
      status: 'compensating',
      reason: 'payment_abandoned',
    });
    expect(bench.answers.at(-1)).toMatchObject({ kind: 'accepted', order: { status: 'compensating' } });
    expect(step.effects).toMatchObject([{ kind: 'compensate' }, { kind: 'answer' }]);
  });

  test('that its buyer has cancelled stays cancelled when the cancel is repeated, before and after its end', async () => {
    const bench = await payable();
    await bench.batch(bench.cancel('order-1'));
    await bench.batch(bench.cancel('order-1'));
    expect(bench.answers.at(-1)).toMatchObject({ kind: 'accepted', order: { status: 'compensating' } });
    await bench.batch(bench.compensated('order-1'));
    await bench.batch(bench.cancel('order-1'));
    expect(bench.answers.at(-1)).toMatchObject({ kind: 'accepted', order: { status: 'failed' } });
    expect(inventoryOf(bench)).toMatchObject({ remaining: 1, held: 0 });
  });

  test('Q11 that comes before the cancel of its buyer confirms the order, and the cancel refunds it', async () => {
    const bench = await payable();
    const step = await bench.batch(bench.paid('order-1'), bench.cancel('order-1'));
    expect(bench.stored.get('order-1')?.status).toBe('cancelling');
    expect(inventoryOf(bench)).toMatchObject({ held: 0, confirmed: 1, cancelling: 1 });
    expect(step.effects).toMatchObject([{ kind: 'compensate' }, { kind: 'answer' }]);
  });

  test('Q9 that a former owner has seen counts only if the new owner sees it too', async () => {
    const bench = await payable();
    const late = bench.paid('order-1');
    const tooLate = bench.unpaid('order-1');
    bench.takeover();
    await bench.batch(late, tooLate);
    expect(bench.stored.get('order-1')?.status).toBe('payable');
    expect([...bench.state.orders.keys()]).toEqual(['order-1']);
    await bench.batch(bench.paid('order-1'));
    expect(bench.stored.get('order-1')?.status).toBe('confirmed');
  });

  test('Q4 queued orders wait, and none is rejected, while the last unit is payable', async () => {
    const bench = await payable();
    await bench.batch(bench.purchase());
    expect(bench.stored.get('order-2')?.status).toBe('queued');
    await bench.batch(bench.paid('order-1'));
    expect(bench.stored.get('order-2')).toMatchObject({ status: 'rejected', reason: 'sold_out' });
  });

  test('a retry of a payable order looks the payment up', async () => {
    const bench = await payable();
    const deadlineAt = Number.MAX_SAFE_INTEGER;
    const step = await bench.batch({ kind: 'retry', orderId: 'order-1', deadlineAt, caller: () => {} });
    expect(step.effects).toMatchObject([{ kind: 'retry', order: { id: 'order-1', status: 'payable' } }, {}]);
  });
});
