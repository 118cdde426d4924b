import { expect, test, vi } from 'vitest';
import { paymentClientContract } from '../../test/contract/payments.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { memoryPayments } from '../../test/support/memory-payments.ts';
import { recordingLog } from '../../test/support/recording-log.ts';
import { systemRandom } from '../lib/random.ts';
import {
  type PaymentSimulationOptions,
  SimulatedPayments,
  simulatedPaymentClient,
} from './simulated-payments.ts';
import type { PaymentEntry } from './suppliers.ts';

const origin = 'http://localhost:8888';
const clock = new ManualClock();
const log = recordingLog();

function open(over: Partial<PaymentSimulationOptions> = {}): SimulatedPayments {
  const ledger = memoryPayments();
  const rates = { payRate: 0, declineRate: 0, latencyMs: 0 };
  return new SimulatedPayments({ ledger, random: systemRandom(), clock, log, ...rates, ...over });
}

const returnUrl = (key: string) => `${origin}/orders/${key}`;
const payment = { key: 'A', amount: 10_000, currency: 'EUR', returnUrl: returnUrl('A') };

paymentClientContract('simulated, in process', async () => {
  const provider = open();
  const client = simulatedPaymentClient(provider, { origin: () => origin, returnUrl });
  return { client, provider, close: async () => {} };
});

test('the page of a payment leads back to its order', async () => {
  const provider = open();
  const client = simulatedPaymentClient(provider, { origin: () => origin, returnUrl });
  const answer = await client.requestPayment({ ...payment, packageId: 1, email: 'ana@example.com' });
  const number = (answer as { number: string }).number.split('/').at(-1) ?? '';
  expect((await provider.checkout(number))?.returnUrl).toBe(`${origin}/orders/A`);
  expect(await provider.checkout('')).toBeUndefined();
  expect(await provider.act('', 'pay')).toBeUndefined();
});

test.each([
  [0, 'paid'],
  [0.3, 'declined'],
  [0.6, 'due'],
])('a payment whose lot is %d is then %s by itself', async (lot, status) => {
  const random = { ...systemRandom(), fraction: () => lot };
  const provider = open({ random, payRate: 0.3, declineRate: 0.3, latencyMs: 100 });
  const requested = provider.request(payment, origin);
  await clock.advance(100);
  expect((await provider.find('A'))?.status).toBe('due');
  await requested;
  await clock.advance(100);
  expect((await provider.find('A'))?.status).toBe(status);
});

test('each change of a payment is told, and an event that is lost is logged', async () => {
  const told: string[] = [];
  const sendEvent = vi.fn(async ({ status }: PaymentEntry) => void told.push(status));
  const provider = open({ sendEvent });
  const answer = (await provider.request(payment, origin)) as { number: string };
  const number = answer.number.split('/').at(-1) ?? '';
  await provider.act(number, 'pay');
  await provider.act(number, 'decline');
  await provider.act(number, 'pay');
  await provider.cancel('A');
  await provider.cancel('never requested');
  expect(told).toEqual(['paid', 'paid', 'refunded']);
  sendEvent.mockRejectedValue(new Error('away'));
  await provider.cancel('A');
  await vi.waitFor(() => expect(log.lines).toHaveLength(1));
});
