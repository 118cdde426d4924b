import { describe, expect, test } from 'vitest';
import { fakeInstance, fakeStatus } from '../../../test/support/fake-admin.ts';
import { fakeOrder } from '../../../test/support/fake-engine.ts';
import { drainEffects } from './instances.ts';
import { cancelEffects } from './order-routes.ts';
import { pauseEffects, quotaEffects } from './package-actions.ts';

describe('a quota', () => {
  const status = fakeStatus({ quota: 50 }, { remaining: 12, held: 3, confirmed: 35, waiting: 0 });
  const withLine = fakeStatus({ quota: 38 }, { remaining: 0, held: 3, confirmed: 35, waiting: 312 });

  test.each([
    [40, 'Lowering to 40: 38 are held or confirmed, 2 stay on sale.'],
    [39, 'Lowering to 39: 38 are held or confirmed, 1 stays on sale.'],
    [60, 'Raising to 60: 38 are held or confirmed, 22 are on sale instead of 12.'],
  ])('of %i has the right effects', (quota, first) => {
    expect(quotaEffects(status, quota)[0]).toBe(first);
  });

  test('has effects that name the number of buyers in the queue', () => {
    expect(quotaEffects(withLine, 40)[1]).toBe(
      '2 of 312 in the queue get places at once, first come, first served.',
    );
    const paused = { ...withLine, package: { ...withLine.package, paused: true } };
    expect(quotaEffects(paused, 39)[1]).toBe(
      '1 of 312 in the queue gets a place when the sale is resumed, first come, first served.',
    );
    expect(quotaEffects(status, 40)[2]).toBe('Nobody is in its queue.');
    const tight = fakeStatus({ quota: 50 }, { remaining: 12, held: 3, confirmed: 35, waiting: 2 });
    expect(quotaEffects(tight, 38)[2]).toBe('2 in the queue keep their positions, but may get nothing.');
  });
});

test('the effects of a pause name the queue and the bookings under way', () => {
  expect(pauseEffects(fakeStatus({}, { waiting: 312, held: 1 })).slice(1)).toEqual([
    '312 in the queue keep their positions.',
    '1 order being booked is finished as usual.',
  ]);
  expect(pauseEffects(fakeStatus({}, { waiting: 1 }))[1]).toBe('1 in the queue keeps the position.');
});

test('the effects of a drain name the instances that take over, or say that there are none', () => {
  const [one, two] = [fakeInstance('instance-1'), fakeInstance('instance-2')];
  const three = fakeInstance('instance-3', { state: 'draining' });
  const silent = { id: 'instance-4', isThis: false, state: 'silent' } as const;
  expect(drainEffects(two, [one, two, fakeInstance('instance-5')])[0]).toBe(
    'instance-2 hands over 14 packages to 2 others; 230 viewers reconnect.',
  );
  expect(drainEffects(two, [two, three, silent])[0]).toBe(
    'instance-2 is the only instance: nobody can take over its 14 packages.',
  );
});

test('only queued, payable and confirmed orders can be cancelled', () => {
  expect(cancelEffects(fakeOrder({ status: 'queued' }))?.[0]).toContain('loses the position');
  expect(cancelEffects(fakeOrder({ status: 'confirmed' }))?.[0]).toContain('are given back');
  const payment = { amount: 10_000, currency: 'EUR' };
  const effectsOf = (status: 'payable' | 'confirmed') => cancelEffects(fakeOrder({ status, payment }));
  expect(effectsOf('payable')?.[0]).toBe('The buyer can no longer pay.');
  expect(effectsOf('confirmed')?.[0]).toBe('What was paid is refunded.');
  for (const status of ['held', 'compensating', 'cancelling', 'failed', 'withdrawn'] as const) {
    expect(cancelEffects(fakeOrder({ status }))).toBeUndefined();
  }
});
