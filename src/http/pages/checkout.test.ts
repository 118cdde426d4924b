import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import { beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { memoryPayments } from '../../../test/support/memory-payments.ts';
import { systemRandom } from '../../lib/random.ts';
import { silentLog } from '../../observability/log.ts';
import { httpLimits } from '../../rate-limits/limits.ts';
import { memoryRateLimits } from '../../rate-limits/memory.ts';
import { SimulatedPayments } from '../../suppliers/simulated-payments.ts';
import { onError } from '../problem.ts';
import { checkoutRoutes } from './checkout.ts';

const returnUrl = 'https://tickets.example/orders/A?proof="><script>';
let provider: SimulatedPayments;
let app: Hono;
let path: string;
beforeEach(async () => {
  const options = {
    ledger: memoryPayments(),
    random: systemRandom(),
    clock: new ManualClock(),
    log: silentLog,
  };
  provider = new SimulatedPayments({ ...options, payRate: 0, declineRate: 0, latencyMs: 0 });
  app = new Hono().route('/checkout', checkoutRoutes(provider, {}));
  app.onError(onError(silentLog));
  const payment = { key: 'A', amount: 12_050, currency: 'EUR', returnUrl };
  const answer = await provider.request(payment, 'http://localhost');
  path = new URL((answer as { number: string }).number).pathname;
});

const act = (move: string, at = path) =>
  app.request(at, { method: 'POST', body: new URLSearchParams({ act: move }) });
const pageText = async () => (await app.request(path)).text();
const statusOf = async () => (await provider.find('A'))?.status;

describe('the page of a simulated payment', () => {
  test('shows what is due, and escapes the address of the shop', async () => {
    const text = await pageText();
    expect(text).toContain('€120.50');
    expect(text).toContain('This payment is due.');
    expect(text).toContain('id="pay"');
    expect(text).not.toContain('<script>');
  });

  test('is in the language of the buyer', async () => {
    const answer = await app.request(path, { headers: { 'accept-language': 'de-AT' } });
    expect(answer.headers.get('content-language')).toBe('de');
    const text = await answer.text();
    expect(text).toContain('<html lang="de">');
    expect(text).toMatch(/120,50\s€/);
    expect(text).toContain('Diese Zahlung ist noch offen.');
  });

  test.each([
    ['pay', 'paid'],
    ['decline', 'declined'],
  ])('leads back to the shop after the buyer has chosen %s', async (move, status) => {
    const answer = await act(move);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, returnUrl]);
    expect(await statusOf()).toBe(status);
    expect(await pageText()).not.toContain('id="pay"');
  });

  test('leaves the payment as it is if the buyer goes back', async () => {
    await pageText();
    expect(await statusOf()).toBe('due');
  });

  test('Q11 takes the money of a cancelled payment only to give it back', async () => {
    await provider.cancel('A');
    expect(await pageText()).toContain('id="pay"');
    await act('pay');
    expect(await statusOf()).toBe('refunded');
  });

  test('neither loads nor runs anything, is not framed and not cached', async () => {
    const { headers } = await app.request(path);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'; frame-ancestors 'none'");
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('has styles of its own, which its policy allows by their hash', async () => {
    const answer = await app.request(path);
    const styles = /<style>(.+)<\/style>/.exec(await answer.text())?.[1] ?? '';
    const hash = createHash('sha256').update(styles).digest('base64');
    expect(styles).toContain('min-height:3rem');
    expect(answer.headers.get('content-security-policy')).toContain(`style-src 'sha256-${hash}'`);
  });

  test('Q12 is behind the rate limit of look-ups, which comes before the provider is asked', async () => {
    const rates = memoryRateLimits({ clock: new ManualClock() });
    const policy = { count: 2, windowS: 10 };
    const settings = { lookUps: policy, purchases: policy, purchasesPerEmail: policy, reads: policy };
    const limits = httpLimits(rates, { ...settings, sockets: policy, socketsPerClient: 0 }, 0);
    app = new Hono().route('/checkout', checkoutRoutes(provider, {}, limits));
    expect((await app.request(path)).status).toBe(200);
    expect((await app.request('/checkout/none')).status).toBe(404);
    for (const answer of [await app.request(path), await act('pay')]) {
      expect(answer.status).toBe(429);
      expect(answer.headers.get('retry-after')).toBe('10');
    }
    expect(await statusOf()).toBe('due');
  });

  test('does not exist for another number, and knows no other move', async () => {
    expect((await app.request('/checkout/none')).status).toBe(404);
    expect((await act('pay', '/checkout/none')).status).toBe(404);
    expect((await act('cancel')).status).toBe(422);
    expect((await app.request(path, { method: 'DELETE' })).status).toBe(405);
    expect(await statusOf()).toBe('due');
  });
});
