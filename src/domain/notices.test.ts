import { describe, expect, test } from 'vitest';
import { DecideFixture } from '../../test/support/decide-fixture.ts';
import type { Step } from './decide.ts';
import { type NoticeChannel, noticeEvents, orderAt } from './notices.ts';

const channels: readonly NoticeChannel[] = ['mail', 'webhook'];
const payments = { provider: 'simulated', currency: 'EUR', minorPerUnit: 100, windowMs: 300_000 };

describe('notices', () => {
  test('nothing is owed while notices are off', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch(bench.purchase());
    const { change } = await bench.batch(bench.booked('order-1'));
    expect(change?.updated).toHaveLength(1);
    expect(change).not.toHaveProperty('notices');
  });

  test('Q6 the commit of an outcome owes a notice of it on each channel', async () => {
    const bench = new DecideFixture({ quota: 2 }, { noticeChannels: channels });
    const accepted = await bench.batch(bench.purchase(), bench.purchase());
    expect(accepted.change).not.toHaveProperty('notices');
    const confirmed = await bench.batch(bench.booked('order-1'), bench.refused('order-2'));
    expect(confirmed.change?.notices).toEqual([
      { channel: 'mail', orderId: 'order-1', event: 'confirmed' },
      { channel: 'webhook', orderId: 'order-1', event: 'confirmed' },
      { channel: 'mail', orderId: 'order-2', event: 'failed' },
      { channel: 'webhook', orderId: 'order-2', event: 'failed' },
    ]);
  });

  test('Q6 a failure is told when it is final, and a cancellation when both suppliers have confirmed it', async () => {
    const bench = new DecideFixture({ quota: 2 }, { noticeChannels: ['mail'] });
    await bench.batch(bench.purchase(), bench.purchase());
    await bench.batch(bench.booked('order-1'));
    const begun = await bench.batch(bench.cancel('order-1'), bench.needsCompensation('order-2'));
    expect(begun.change).not.toHaveProperty('notices');
    const ended = await bench.batch(bench.compensated('order-1'), bench.compensated('order-2'));
    expect(ended.change?.notices?.map(({ orderId, event }) => [orderId, event])).toEqual([
      ['order-1', 'cancelled'],
      ['order-2', 'failed'],
    ]);
  });

  test('Q6 a confirmation is told although the same batch begins to cancel the order', async () => {
    const bench = new DecideFixture({ quota: 1 }, { noticeChannels: ['mail'] });
    await bench.batch(bench.purchase());
    const { change } = await bench.batch(bench.booked('order-1'), bench.cancel('order-1'));
    expect(change?.updated).toMatchObject([{ status: 'cancelling' }]);
    expect(change?.notices).toEqual([{ channel: 'mail', orderId: 'order-1', event: 'confirmed' }]);
  });

  test('who waits until everything is sold is told, and who leaves the queue is not', async () => {
    const bench = new DecideFixture({ quota: 1 }, { noticeChannels: ['mail'] });
    await bench.batch(bench.purchase(), bench.purchase(), bench.purchase());
    const left = await bench.batch(bench.cancel('order-2'));
    expect(left.change).not.toHaveProperty('notices');
    const soldOut = await bench.batch(bench.booked('order-1'));
    expect(soldOut.change?.notices?.map(({ orderId, event }) => [orderId, event])).toEqual([
      ['order-1', 'confirmed'],
      ['order-3', 'failed'],
    ]);
  });

  test('Q6 Q11 an order that has to be paid is told, and its refund once the cancellation is confirmed', async () => {
    const bench = new DecideFixture({ quota: 1, price: 120 }, { payments, noticeChannels: ['mail'] });
    await bench.batch(bench.purchase());
    const eventsOf = ({ change }: Step) => change?.notices?.map(({ event }) => event);
    expect(eventsOf(await bench.batch(bench.paymentDue('order-1')))).toEqual(['payable']);
    expect(eventsOf(await bench.batch(bench.paid('order-1')))).toEqual(['confirmed']);
    expect(eventsOf(await bench.batch(bench.cancel('order-1')))).toBeUndefined();
    expect(eventsOf(await bench.batch(bench.compensated('order-1')))).toEqual(['cancelled', 'refunded']);
  });

  test('no refund of an order is told that was never paid', async () => {
    const bench = new DecideFixture({ quota: 2, price: 120 }, { payments, noticeChannels: ['mail'] });
    await bench.batch(bench.purchase(), bench.purchase());
    await bench.batch(bench.paymentDue('order-1'), bench.booked('order-2'));
    await bench.batch(bench.unpaid('order-1'), bench.cancel('order-2'));
    const ended = await bench.batch(bench.compensated('order-1'), bench.compensated('order-2'));
    expect(ended.change?.notices?.map(({ orderId, event }) => [orderId, event])).toEqual([
      ['order-1', 'failed'],
      ['order-2', 'cancelled'],
    ]);
  });

  test('a late or repeated result of a saga owes nothing', async () => {
    const bench = new DecideFixture({ quota: 1 }, { noticeChannels: ['mail'] });
    await bench.batch(bench.purchase());
    const booked = bench.booked('order-1');
    await bench.batch(booked);
    expect((await bench.batch(booked)).change).toBeUndefined();
  });
});

describe('the order at an event', () => {
  test('is the order as it was then, also after later events', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch(bench.purchase());
    await bench.batch(bench.booked('order-1'));
    const confirmed = bench.stored.get('order-1')!;
    expect(orderAt(confirmed, 'confirmed')).toEqual({
      event: 'confirmed',
      at: confirmed.timeline.at(-1)?.at,
      order: confirmed,
      isPast: false,
    });
    await bench.batch(bench.cancel('order-1'));
    await bench.batch(bench.compensated('order-1'));
    const cancelled = bench.stored.get('order-1')!;
    expect(orderAt(cancelled, 'confirmed')).toMatchObject({ order: confirmed, isPast: true });
    expect(orderAt(cancelled, 'cancelled')).toMatchObject({ order: cancelled, isPast: false });
    expect(orderAt(cancelled, 'refunded')).toBeUndefined();
  });

  test('Q11 is the payable order without the reason for which it failed later', async () => {
    const bench = new DecideFixture({ quota: 1, price: 120 }, { payments });
    await bench.batch(bench.purchase());
    await bench.batch(bench.paymentDue('order-1'));
    const payable = bench.stored.get('order-1')!;
    await bench.batch(bench.unpaid('order-1'));
    await bench.batch(bench.compensated('order-1'));
    const failed = bench.stored.get('order-1')!;
    expect(orderAt(failed, 'payable')?.order).toEqual(payable);
    expect(orderAt(failed, 'failed')?.order).toEqual(failed);
  });

  test('Q11 is the cancelled order when its payment is refunded', async () => {
    const bench = new DecideFixture({ quota: 1, price: 120 }, { payments });
    await bench.batch(bench.purchase());
    await bench.batch(bench.paymentDue('order-1'));
    await bench.batch(bench.paid('order-1'), bench.cancel('order-1'));
    await bench.batch(bench.compensated('order-1'));
    const cancelled = bench.stored.get('order-1')!;
    expect(orderAt(cancelled, 'refunded')).toMatchObject({ event: 'refunded', order: cancelled });
  });

  test('has the status of whoever waited in vain', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch(bench.purchase(), bench.purchase());
    await bench.batch(bench.booked('order-1'));
    expect(orderAt(bench.stored.get('order-2')!, 'failed')?.order.status).toBe('rejected');
  });

  test('does not exist for an event that the order never had', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch(bench.purchase());
    const held = bench.stored.get('order-1')!;
    for (const event of noticeEvents) expect(orderAt(held, event)).toBeUndefined();
  });
});
