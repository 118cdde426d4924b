import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type FakeAppOptions, fakeApp } from '../../../test/support/fake-app.ts';
import { fakeOrder } from '../../../test/support/fake-engine.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { type RecordingLog, recordingLog } from '../../../test/support/recording-log.ts';
import type { OrderAnswer } from '../../domain/messages.ts';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { eventVerifier, type SignedEvent, signedEvent } from '../../suppliers/payment-events.ts';
import type { PaymentEntry } from '../../suppliers/suppliers.ts';

const secret = Buffer.alloc(24, 7).toString('base64');
const order = fakeOrder({ status: 'payable' });
const lookUp = vi.fn<(of: typeof order) => Promise<OrderAnswer>>();

let log: RecordingLog;
beforeEach(() => {
  log = recordingLog();
  lookUp.mockReset().mockResolvedValue({ kind: 'accepted', order });
});

function open(over: FakeAppOptions = {}) {
  const payments = { verify: eventVerifier(secret), lookUp };
  const engine = { order: async (id: string) => (id === order.id ? order : undefined) };
  return fakeApp({ log, payments, engine, ...over });
}

function event(over: Partial<PaymentEntry> = {}, by = secret, agoMs = 0): SignedEvent {
  const clock = { ...systemClock, now: () => systemClock.now() - agoMs };
  const payment = { key: order.id, status: 'paid', amount: 10_000, currency: 'EUR' } as const;
  const entry = { ...payment, number: 'N', returnUrl: 'https://tickets.example', ...over };
  return signedEvent(entry, by, { clock, random: systemRandom() });
}

async function send({ headers, body }: SignedEvent, app = open()) {
  const answer = await app.request('/api/payments/events', { method: 'POST', headers, body });
  const text = await answer.text();
  return { status: answer.status, code: text === '' ? undefined : JSON.parse(text).code };
}

describe('an event of the payment provider', () => {
  test('has the payment of a payable order looked up', async () => {
    expect(await send(event())).toEqual({ status: 204, code: undefined });
    expect(lookUp.mock.calls).toEqual([[order]]);
    expect(log.lines).toEqual([]);
  });

  test.each(['paid', 'declined', 'refunded'] as const)(
    'Q11 is only a reason for a look-up, whatever it says: %s',
    async (status) => {
      await send(event({ status, amount: 1 }));
      expect(lookUp).toHaveBeenCalledTimes(1);
    },
  );

  test.each<[string, () => SignedEvent]>([
    ['is signed with another secret', () => event({}, Buffer.alloc(24, 8).toString('base64'))],
    ['is too old', () => event({}, secret, 6 * 60_000)],
    ['is of the future', () => event({}, secret, -6 * 60_000)],
    ['was changed', () => ({ ...event(), body: event().body.replace('paid', 'due!') })],
    ['is not signed', () => ({ ...event(), headers: { 'content-type': 'application/json' } })],
  ])('Q11 that %s is refused, with one line in the log', async (_, forged) => {
    expect(await send(forged())).toEqual({ status: 403, code: 'invalid_signature' });
    expect(lookUp).not.toHaveBeenCalled();
    expect(log.lines).toEqual(['An event of the payment provider was refused.']);
  });

  test('Q12 thousands that are forged are one line in the log for each reason and minute', async () => {
    const clock = new ManualClock();
    const app = open({ clock });
    const forged = { ...event(), headers: { 'content-type': 'application/json' } };
    const changed = { ...event(), body: '{}' };
    for (let each = 0; each < 5; each++)
      for (const sent of [forged, changed]) expect((await send(sent, app)).status).toBe(403);
    expect(log.lines).toHaveLength(2);
    await clock.advance(120_000);
    await send(forged, app);
    expect(log.lines).toHaveLength(3);
  });

  test('Q11 that comes again is ignored, with one line in the log', async () => {
    const app = open();
    const repeated = event();
    for (let each = 0; each < 3; each++) expect((await send(repeated, app)).status).toBe(204);
    expect(lookUp).toHaveBeenCalledTimes(1);
    expect(log.lines).toHaveLength(2);
    await send(event(), app);
    expect(lookUp).toHaveBeenCalledTimes(2);
  });

  test.each(['0000-0000-0000-0000', 'no order id', ''])(
    'Q11 about an unknown order is ignored, with one line in the log: %j',
    async (key) => {
      expect((await send(event({ key }))).status).toBe(204);
      expect(lookUp).not.toHaveBeenCalled();
      expect(log.lines).toEqual(['An event of the payment provider is about no order.']);
    },
  );

  test.each(['held', 'compensating', 'confirmed', 'failed', 'cancelled'] as const)(
    'Q11 about an order that is %s changes nothing',
    async (status) => {
      const app = open({ engine: { order: async () => fakeOrder({ status }) } });
      expect((await send(event(), app)).status).toBe(204);
      expect(lookUp).not.toHaveBeenCalled();
    },
  );

  test('Q11 that takes the payment of a confirmed order back leaves a line in the log', async () => {
    const app = open({ engine: { order: async () => fakeOrder({ status: 'confirmed' }) } });
    expect((await send(event({ status: 'refunded' }), app)).status).toBe(204);
    expect((await send(event({ status: 'paid' }), app)).status).toBe(204);
    expect(lookUp).not.toHaveBeenCalled();
    expect(log.lines).toEqual([
      'The payment of a confirmed order is not paid, as its provider tells: audit.',
    ]);
  });

  test('Q11 is asked for again if nobody could look the payment up', async () => {
    const app = open();
    const late = event();
    lookUp.mockResolvedValueOnce({ kind: 'refused', code: 'no_owner' });
    expect(await send(late, app)).toEqual({ status: 503, code: 'no_owner' });
    expect((await send(late, app)).status).toBe(204);
    expect(lookUp).toHaveBeenCalledTimes(2);
  });

  test('is not asked for again about an order that has ended meanwhile', async () => {
    lookUp.mockResolvedValue({ kind: 'refused', code: 'not_retryable' });
    expect((await send(event())).status).toBe(204);
  });

  test('is refused without a secret, and while payments are off', async () => {
    expect((await send(event(), open({ payments: { lookUp } }))).code).toBe('invalid_signature');
    expect((await send(event(), fakeApp())).code).toBe('unknown_route');
  });
});
