import { afterEach, expect, test } from 'vitest';
import { IsolationChecks } from './isolation-checks.ts';
import { runningWorld } from './running-world.ts';
import { PaymentCore, type SimPayment, simPaymentClient } from './sim-payments.ts';
import { simHost } from './world.ts';

const request = { key: 'A', packageId: 1, email: 'ana@example.com', amount: 10_000, currency: 'EUR' };
let stop = () => {};
afterEach(() => stop());

async function open() {
  const { world, stop: stopWorld } = runningWorld();
  stop = stopWorld;
  const host = simHost('one', () => {});
  const core = new PaymentCore(world);
  const isolation = new IsolationChecks(world, host, 8, 3);
  await isolation.during('payments', request, false, async () => {});
  const events: string[] = [];
  core.onEvent = ({ status }) => events.push(status);
  const client = simPaymentClient(world, host, core, isolation);
  const payment = () => core.ledger.get('A') as SimPayment;
  return { core, client, events, payment };
}

test('Q11 the simulated provider keeps one payment for each key, and refunds it once', async () => {
  const { core, client, events, payment } = await open();
  expect(await client.payment('A')).toBeUndefined();
  const page = await client.requestPayment(request);
  expect(await client.requestPayment(request)).toEqual(page);
  expect(await client.payment('A')).toEqual({ status: 'due', amount: 10_000, currency: 'EUR' });
  core.pay(payment());
  core.pay(payment());
  core.decline(payment());
  expect((await client.payment('A'))?.status).toBe('paid');
  await client.cancelPayment('A');
  await client.cancelPayment('A');
  core.pay(payment());
  expect((await client.payment('A'))?.status).toBe('refunded');
  expect(await client.requestPayment(request)).toEqual({ kind: 'refused', code: 'cancelled' });
  expect(events).toEqual(['paid', 'paid', 'paid', 'refunded', 'refunded', 'refunded']);
});

test('Q11 a cancel at the simulated provider prevents a payment, and a payment after it is refunded', async () => {
  const early = await open();
  await early.client.cancelPayment('A');
  expect(await early.client.requestPayment(request)).toEqual({ kind: 'refused', code: 'cancelled' });
  expect(early.events).toEqual([]);
  stop();
  const { core, client, payment } = await open();
  await client.requestPayment(request);
  await client.cancelPayment('A');
  core.pay(payment());
  expect((await client.payment('A'))?.status).toBe('refunded');
});
