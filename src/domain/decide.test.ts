import { describe, expect, test } from 'vitest';
import { DecideFixture } from '../../test/support/decide-fixture.ts';
import type { PackageMessage } from './messages.ts';

const codes = (bench: DecideFixture) =>
  bench.answers.map((answer) => (answer.kind === 'refused' ? answer.code : answer.kind));

describe('purchases', () => {
  test('Q2 a free unit is claimed in the commit that stores the order, and is booked after that commit', async () => {
    const bench = new DecideFixture({ quota: 1 });
    const step = await bench.batch(bench.purchase());
    expect(step.change?.inserted).toMatchObject([{ id: 'order-1', number: 1, status: 'held' }]);
    expect(step.change?.inventory).toMatchObject({ remaining: 0, held: 1, waiting: 0 });
    expect(step.effects.map((effect) => effect.kind)).toEqual(['book', 'answer']);
  });

  test('Q4 other orders are queued while units are held, and refused with `sold_out` once all units are confirmed', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch(bench.purchase(), bench.purchase());
    expect(bench.stored.get('order-2')).toMatchObject({ status: 'queued', number: 2 });
    await bench.batch(bench.booked('order-1'));
    expect(bench.stored.get('order-2')).toMatchObject({ status: 'rejected', reason: 'sold_out' });
    await bench.batch(bench.purchase());
    expect(codes(bench).at(-1)).toBe('sold_out');
  });

  test('Q4 a purchase is refused with `queue_full`, not `sold_out`, while the queue is full', async () => {
    const bench = new DecideFixture({ quota: 1 }, { waitersPerUnit: 2 });
    await bench.batch(bench.purchase(), bench.purchase(), bench.purchase(), bench.purchase());
    expect(codes(bench)).toEqual(['accepted', 'accepted', 'accepted', 'queue_full']);
    await bench.batch(bench.refused('order-1'), bench.purchase());
    expect(bench.stored.get('order-2')?.status).toBe('held');
    expect(codes(bench).at(-1)).toBe('accepted');
  });

  test('Q12 the queue has a maximum, whatever the quota', async () => {
    const bench = new DecideFixture({ quota: 2 }, { waitersPerUnit: 64, waitersMax: 2 });
    await bench.batch(...Array.from({ length: 6 }, () => bench.purchase()));
    expect(codes(bench)).toEqual([...Array(4).fill('accepted'), 'queue_full', 'queue_full']);
    await bench.batch(bench.refused('order-1'), bench.purchase());
    expect(codes(bench).at(-1)).toBe('accepted');
  });

  test('Q4 while a unit is being cancelled, no queued order is rejected', async () => {
    const bench = new DecideFixture({ quota: 2 });
    await bench.batch(bench.purchase(), bench.purchase(), bench.purchase());
    await bench.batch(bench.booked('order-1'), bench.cancel('order-1'));
    await bench.batch(bench.booked('order-2'));
    expect(bench.state.inventory).toMatchObject({ confirmed: 2, cancelling: 1, waiting: 1 });
    await bench.batch(bench.compensated('order-1'));
    expect(bench.stored.get('order-3')?.status).toBe('held');
  });

  test('Q4 a batch that begins a cancellation refuses no purchase with `sold_out`', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch(bench.purchase());
    await bench.batch(bench.booked('order-1'), bench.purchase(), bench.cancel('order-1'));
    expect(bench.stored.get('order-2')).toMatchObject({ status: 'queued', number: 2 });
    expect(codes(bench)).not.toContain('sold_out');
    await bench.batch(bench.compensated('order-1'));
    expect(bench.stored.get('order-2')?.status).toBe('held');
  });

  test('Q5 a released unit goes to the queued order with the lowest number, also after a takeover', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch(bench.purchase());
    await bench.batch(bench.purchase());
    await bench.batch(bench.purchase());
    bench.takeover();
    await bench.batch(bench.refused('order-1'));
    expect(bench.ordersBy('held').map((order) => order.id)).toEqual(['order-2']);
  });

  test('Q5 a purchase does not overtake the queue that a new owner has not served yet', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch({ kind: 'suppliers', available: false });
    await bench.batch(bench.purchase());
    bench.takeover();
    bench.state.suppliersAvailable = true;
    await bench.batch(bench.purchase());
    expect(bench.ordersBy('held')).toEqual([]);
    await bench.batch({ kind: 'tick' });
    expect(bench.ordersBy('held').map((order) => order.id)).toEqual(['order-1']);
  });

  test('Q5 a decision claims at most `claimsMax` units, for the orders with the lowest numbers', async () => {
    const bench = new DecideFixture({ quota: 3 }, { claimsMax: 1 });
    await bench.batch(bench.purchase(), bench.purchase(), bench.purchase());
    expect(bench.ordersBy('held').map(({ id }) => id)).toEqual(['order-1']);
    await bench.batch({ kind: 'tick' });
    expect(bench.ordersBy('held').map(({ id }) => id)).toEqual(['order-1', 'order-2']);
    expect(bench.state.inventory).toMatchObject({ remaining: 1, held: 2, waiting: 1 });
  });

  test('Q4 every purchase joins the queue if `claimsMax` is 0', async () => {
    const bench = new DecideFixture({ quota: 1 }, { claimsMax: 0 });
    await bench.batch(bench.purchase(), bench.purchase());
    await bench.batch({ kind: 'tick' });
    expect(bench.ordersBy('queued')).toHaveLength(2);
    expect(bench.state.inventory).toMatchObject({ remaining: 1, held: 0, waiting: 2 });
  });

  test('Q5 no purchase overtakes the queue within a batch', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch(bench.purchase(), bench.purchase());
    await bench.batch(bench.refused('order-1'), bench.purchase());
    expect(bench.ordersBy('held').map((order) => order.id)).toEqual(['order-2']);
    expect(bench.ordersBy('queued').map((order) => order.id)).toEqual(['order-3']);
  });

  test('an answer shows the state of the order after the whole batch', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch(bench.purchase());
    await bench.batch(bench.purchase(), bench.refused('order-1'));
    expect(bench.answers.at(-1)).toMatchObject({ order: { id: 'order-2', status: 'held' } });
  });

  test('Q7 one key makes one order within a batch, across batches, and after the order has ended', async () => {
    const bench = new DecideFixture({ quota: 1 });
    const again = () => bench.purchase({ key: 'k', email: 'a@example.com' });
    await bench.batch(again(), again());
    await bench.batch(bench.refused('order-1'));
    await bench.batch(again());
    expect(bench.stored.size).toBe(1);
    const ids = bench.answers.map((answer) => answer.kind === 'accepted' && answer.order.id);
    expect(ids).toEqual(['order-1', 'order-1', 'order-1']);
    expect(bench.answers.at(-1)).toMatchObject({ order: { status: 'failed' } });
  });

  test('Q7 a key with another body is refused, and the refusal shows no order', async () => {
    const bench = new DecideFixture();
    await bench.batch(bench.purchase({ key: 'k' }), bench.purchase({ key: 'k' }));
    expect(bench.answers.at(-1)).toEqual({ kind: 'refused', code: 'key_reused' });
  });

  test('Q7 a repeated key returns its confirmed order after a sell-out', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch(bench.purchase({ key: 'k', email: 'a@example.com' }));
    await bench.batch(bench.booked('order-1'));
    await bench.batch(bench.purchase({ key: 'k', email: 'a@example.com' }));
    expect(bench.answers.at(-1)).toMatchObject({ kind: 'accepted', order: { status: 'confirmed' } });
  });

  test('Q6 a purchase in doubt is found by its id instead of being stored twice', async () => {
    const bench = new DecideFixture();
    const purchase = bench.purchase();
    await bench.batch(purchase);
    await bench.batch(bench.booked('order-1'));
    bench.takeover();
    await bench.batch({ ...purchase, inDoubt: true });
    expect(bench.stored.size).toBe(1);
    expect(bench.answers.at(-1)).toMatchObject({ kind: 'accepted', order: { status: 'confirmed' } });
  });

  test('one email may have at most `ordersPerEmail` live orders', async () => {
    const bench = new DecideFixture({ quota: 5 }, { ordersPerEmail: 1 });
    const mine = () => bench.purchase({ email: 'a@example.com' });
    await bench.batch(mine(), mine());
    expect(codes(bench)).toEqual(['accepted', 'order_limit']);
    await bench.batch(bench.refused('order-1'));
    await bench.batch(mine());
    expect(codes(bench).at(-1)).toBe('accepted');
  });

  test.each([
    ['not_open', { opensAt: 2_000 }],
    ['sale_closed', { closesAt: 1_000 }],
    ['paused', { paused: true }],
    ['sold_out', { quota: 0 }],
  ])('a purchase is refused with %s', async (code, travelPackage) => {
    const bench = new DecideFixture(travelPackage);
    await bench.batch(bench.purchase());
    expect(codes(bench)).toEqual([code]);
    expect(bench.stored.size).toBe(0);
  });

  test('a purchase past its deadline is refused with `overloaded`', async () => {
    const bench = new DecideFixture();
    await bench.batch(bench.purchase({ deadlineAt: 999 }));
    expect(codes(bench)).toEqual(['overloaded']);
  });
});

describe('while the suppliers are away', () => {
  test('no unit is claimed, and after their return the queue is served by number', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch({ kind: 'suppliers', available: false }, bench.purchase(), bench.purchase());
    expect(bench.ordersBy('held')).toEqual([]);
    await bench.batch({ kind: 'suppliers', available: true });
    expect(bench.ordersBy('held').map((order) => order.id)).toEqual(['order-1']);
  });
});

describe('withdrawing and cancelling', () => {
  test('an order whose caller hangs up leaves the queue if it has no key, and stays if it has a key', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch(bench.purchase(), bench.purchase(), bench.purchase({ key: 'k' }));
    for (const orderId of ['order-1', 'order-2', 'order-3']) await bench.batch({ kind: 'withdraw', orderId });
    expect([...bench.stored.values()].map((order) => order.status)).toEqual(['held', 'withdrawn', 'queued']);
  });

  test.each([
    ['queued', 'accepted', 'withdrawn'],
    ['held', 'in_progress', 'held'],
    ['confirmed', 'accepted', 'cancelling'],
    ['failed', 'not_cancellable', 'failed'],
  ] as const)('cancelling an order that is %s is answered with %s', async (from, answer, status) => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch(bench.purchase(), bench.purchase());
    const orderId = from === 'queued' ? 'order-2' : 'order-1';
    if (from === 'confirmed') await bench.batch(bench.booked(orderId));
    if (from === 'failed') await bench.batch(bench.refused(orderId));
    await bench.batch(bench.cancel(orderId));
    expect(codes(bench).at(-1)).toBe(answer);
    expect(bench.stored.get(orderId)?.status).toBe(status);
  });

  test.each([
    ['before noon of the day after its night', 'accepted', '2022-08-09', -1, 'cancelling'],
    ['at noon of the day after its night', 'trip_over', '2022-08-09', 0, 'confirmed'],
    ['whose night is no date', 'accepted', 'one night', 0, 'cancelling'],
  ] as const)('cancelling a confirmed order %s is answered with %s', async (_, answer, stay, ms, status) => {
    const bench = new DecideFixture({ quota: 1, stay });
    await bench.batch(bench.purchase());
    await bench.batch(bench.booked('order-1'));
    bench.now = Date.UTC(2022, 7, 10, 12) + ms;
    await bench.batch(bench.cancel('order-1'));
    expect(codes(bench).at(-1)).toBe(answer);
    expect(bench.stored.get('order-1')?.status).toBe(status);
  });

  test('an order of the sample packages, whose nights are over, is cancelled', async () => {
    const bench = new DecideFixture({ quota: 1 });
    bench.now = Date.UTC(2030, 0, 1);
    await bench.batch(bench.purchase());
    await bench.batch(bench.booked('order-1'));
    await bench.batch(bench.cancel('order-1'));
    expect(bench.stored.get('order-1')?.status).toBe('cancelling');
  });

  test('Q2 cancelling twice releases the unit once', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch(bench.purchase());
    await bench.batch(bench.booked('order-1'));
    await bench.batch(bench.cancel('order-1'), bench.cancel('order-1'));
    await bench.batch(bench.compensated('order-1'), bench.compensated('order-1'));
    await bench.batch(bench.cancel('order-1'));
    expect(bench.state.inventory).toMatchObject({ remaining: 1, held: 0, confirmed: 0, cancelling: 0 });
  });
});

describe('sagas', () => {
  test('Q9 no compensation starts before the commit of `compensating`', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch(bench.purchase());
    const step = await bench.batch(bench.needsCompensation('order-1'));
    expect(step.change?.updated).toMatchObject([{ status: 'compensating', flight: { ticketNumber: 'F1' } }]);
    expect(step.change?.inventory).toMatchObject({ remaining: 0, held: 1 });
    expect(step.effects).toMatchObject([{ kind: 'compensate', order: { id: 'order-1' } }]);
  });

  test('Q8 a refused order is compensated if another process may have reserved its flight', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch(bench.purchase());
    const unknown = { kind: 'progress', reserved: {}, events: [{ at: 2, event: 'flight unknown' }] } as const;
    await bench.batch({ ...unknown, orderId: 'order-1', epoch: bench.state.epoch });
    const step = await bench.batch(bench.refused('order-1'));
    expect(step.change?.updated).toMatchObject([{ status: 'compensating', reason: 'flight_unavailable' }]);
    expect(step.change?.updated[0]).not.toHaveProperty('flight');
    expect(step.effects).toMatchObject([{ kind: 'compensate', order: { id: 'order-1' } }]);
  });

  test('Q9 the result of a saga from an older epoch is ignored', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch(bench.purchase());
    const old = bench.refused('order-1');
    bench.takeover();
    const step = await bench.batch(old);
    expect(step.change).toBeUndefined();
  });

  describe('Q2 Q9 a saga’s result counts only for an order that waits for it', () => {
    const results = {
      progress: (bench: DecideFixture, id: string): PackageMessage =>
        ({ ...bench.booked(id), kind: 'progress' }) as PackageMessage,
      booked: (bench: DecideFixture, id: string) => bench.booked(id),
      refused: (bench: DecideFixture, id: string) => bench.refused(id),
      needsCompensation: (bench: DecideFixture, id: string) => bench.needsCompensation(id),
      compensated: (bench: DecideFixture, id: string) => bench.compensated(id),
    };
    /** For each status, the messages that bring the held order-1 into it. */
    const ways: Record<string, (bench: DecideFixture) => PackageMessage[]> = {
      held: () => [],
      compensating: (bench) => [bench.needsCompensation('order-1')],
      failed: (bench) => [bench.refused('order-1')],
      confirmed: (bench) => [bench.booked('order-1')],
      cancelling: (bench) => [bench.booked('order-1'), bench.cancel('order-1')],
      cancelled: (bench) => [bench.booked('order-1'), bench.cancel('order-1'), bench.compensated('order-1')],
    };
    const next: Record<string, Partial<Record<keyof typeof results, string>>> = {
      held: { progress: 'held', booked: 'confirmed', refused: 'failed', needsCompensation: 'compensating' },
      compensating: { compensated: 'failed' },
      cancelling: { compensated: 'cancelled' },
    };
    const cells = Object.keys(ways).flatMap((status) =>
      (Object.keys(results) as (keyof typeof results)[]).map((result) => [status, result] as const),
    );

    test.each(cells)('an order that is %s gets the result %s', async (status, result) => {
      const bench = new DecideFixture({ quota: 1 });
      await bench.batch(bench.purchase());
      for (const message of ways[status]?.(bench) ?? []) await bench.batch(message);
      expect(bench.stored.get('order-1')?.status).toBe(status);
      const { change } = await bench.batch(results[result](bench, 'order-1'));
      const expected = next[status]?.[result];
      expect(change?.updated.map((order) => order.status)).toEqual(expected && [expected]);
    });
  });

  test('a saga’s progress is stored before its outcome, and only once', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch(bench.purchase());
    const events = [{ at: 1, event: 'flight reserved', detail: 'F1' }] as const;
    const epoch = bench.state.epoch;
    await bench.batch({
      kind: 'progress',
      orderId: 'order-1',
      epoch,
      events,
      reserved: { flight: { ticketNumber: 'F1' } },
    });
    await bench.batch({ ...bench.booked('order-1'), events } as never);
    const shown = bench.stored.get('order-1')?.timeline.map((entry) => entry.event);
    expect(shown).toEqual(['claimed', 'flight reserved', 'confirmed']);
  });
});

describe('requests of operators', () => {
  const amend = (bench: DecideFixture, change: object) =>
    bench.batch({
      kind: 'update',
      version: bench.state.package.version,
      deadlineAt: Number.MAX_SAFE_INTEGER,
      caller: (answer) => bench.answers.push(answer),
      ...change,
    });

  test('Q4 a higher quota serves the queue', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch(bench.purchase(), bench.purchase(), bench.purchase());
    await amend(bench, { quota: 2 });
    expect(bench.ordersBy('held').map((order) => order.id)).toEqual(['order-1', 'order-2']);
  });

  test('Q1 an update is refused if its quota is below held plus confirmed, or if it names an older version', async () => {
    const bench = new DecideFixture({ quota: 2 });
    await bench.batch(bench.purchase(), bench.purchase());
    await amend(bench, { quota: 1 });
    await amend(bench, { quota: 9, version: 0 });
    expect(codes(bench).slice(-2)).toEqual(['quota_too_low', 'version_conflict']);
    expect(bench.state.package.quota).toBe(2);
  });

  test('an update that is stored already is not applied again, and is answered without a version conflict', async () => {
    const bench = new DecideFixture({ quota: 2 });
    const { version } = bench.state.package;
    await amend(bench, { quota: 5, paused: true });
    const again = { version, quota: 5, paused: true, inDoubt: true };
    await amend(bench, again);
    expect(bench.answers.slice(-2).map(({ kind }) => kind)).toEqual(['updated', 'updated']);
    expect(bench.state.package).toMatchObject({ quota: 5, version: version + 1 });
    await amend(bench, { ...again, quota: 6 });
    expect(codes(bench).at(-1)).toBe('version_conflict');
  });

  test('a paused package keeps its queue and serves it when the sale resumes', async () => {
    const bench = new DecideFixture({ quota: 1 });
    await bench.batch(bench.purchase(), bench.purchase());
    await amend(bench, { paused: true });
    await bench.batch(bench.refused('order-1'));
    expect(bench.ordersBy('queued').map((order) => order.id)).toEqual(['order-2']);
    await amend(bench, { paused: false });
    expect(bench.ordersBy('held').map((order) => order.id)).toEqual(['order-2']);
  });
});

test('Q4 after a sell-out every order of a long queue is rejected, over several commits', async () => {
  const bench = new DecideFixture({ quota: 1 }, { waitersPerUnit: 100, rejectionsMax: 10 });
  await bench.batch(...Array.from({ length: 36 }, () => bench.purchase()));
  let step = await bench.batch(bench.booked('order-1'));
  let commits = 1;
  for (; step.effects.some((effect) => effect.kind === 'continue'); commits++) {
    step = await bench.batch({ kind: 'tick' });
  }
  expect(commits).toBe(4);
  expect(bench.ordersBy('rejected')).toHaveLength(35);
});
