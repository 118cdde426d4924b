import { afterEach, describe, expect, test } from 'vitest';
import { allItemsOf } from '../../src/lib/page.ts';
import type { PaymentClient, PaymentProvider, PaymentRequest } from '../../src/suppliers/suppliers.ts';

/** A client of a new payment provider that no other test uses. */
interface OpenedPaymentClient {
  readonly client: PaymentClient;
  /** The provider, so that a test can pay as a buyer. */
  readonly provider: PaymentProvider;
  close(): Promise<void>;
}

/** The contract of `PaymentClient`, run on each client and the provider behind it. Sagas rely on it. */
export function paymentClientContract(name: string, open: () => Promise<OpenedPaymentClient>): void {
  describe(`payment client contract: ${name}`, () => {
    let opened: OpenedPaymentClient | undefined;

    async function start(): Promise<PaymentClient> {
      opened = await open();
      return opened.client;
    }
    /** Pays or declines at the page with this address. */
    const act = async (url: string, move: 'pay' | 'decline') =>
      (await opened?.provider.act(url.split('/').at(-1) ?? '', move))?.status;
    afterEach(async () => {
      await opened?.close();
      opened = undefined;
    });

    test('requests a payment, which is due until its buyer pays', async () => {
      const client = await start();
      const url = await requested(client, 'A');
      expect(url).toMatch(/^https?:\/\/[^/]+\/checkout\/[\w-]{22}$/);
      expect(await client.payment('A')).toEqual({ status: 'due', amount: 10_000, currency: 'EUR' });
      expect(await act(url, 'pay')).toBe('paid');
      expect(await client.payment('A')).toEqual({ status: 'paid', amount: 10_000, currency: 'EUR' });
    });

    test('Q8 a repeated key gets the same payment, whatever has become of it', async () => {
      const client = await start();
      const url = await requested(client, 'A');
      expect(await requested(client, 'A')).toBe(url);
      const other = await client.requestPayment({ ...request('A'), amount: 1 });
      expect(other).toEqual({ kind: 'reserved', number: url });
      await act(url, 'decline');
      expect(await requested(client, 'A')).toBe(url);
      expect(await client.payment('A')).toMatchObject({ status: 'declined', amount: 10_000 });
      expect(await requested(client, 'B')).not.toBe(url);
    });

    test('finds no payment that nobody has requested', async () => {
      const client = await start();
      expect(await client.payment('A')).toBeUndefined();
      expect(await client.payment('a/b?c#d%25&e=f')).toBeUndefined();
    });

    test('Q11 a cancel voids a due payment, refunds a paid one, and can be repeated', async () => {
      const client = await start();
      await requested(client, 'due');
      await act(await requested(client, 'paid'), 'pay');
      for (const key of ['due', 'paid', 'due', 'paid']) await client.cancelPayment(key);
      expect((await client.payment('due'))?.status).toBe('cancelled');
      expect((await client.payment('paid'))?.status).toBe('refunded');
      const refused = { kind: 'refused', code: 'cancelled' };
      expect(await client.requestPayment(request('due'))).toEqual(refused);
      expect(await client.requestPayment(request('paid'))).toEqual(refused);
    });

    test('Q11 a buyer who pays after the cancel is refunded', async () => {
      const client = await start();
      const url = await requested(client, 'A');
      await client.cancelPayment('A');
      expect(await act(url, 'pay')).toBe('refunded');
      expect((await client.payment('A'))?.status).toBe('refunded');
    });

    test('Q11 a payment that is requested after its cancel is refused', async () => {
      const client = await start();
      await client.cancelPayment('A');
      expect(await client.requestPayment(request('A'))).toEqual({ kind: 'refused', code: 'cancelled' });
      expect((await client.payment('A'))?.status).toBe('cancelled');
    });

    test('the ledger lists each payment once', async () => {
      const client = await start();
      const keys = Array.from({ length: 12 }, (_, each) => `K${String(each).padStart(2, '0')}`);
      for (const key of keys) await requested(client, key);
      await client.cancelPayment('K03');
      const listed = await allItemsOf((cursor) => client.payments(cursor));
      expect(listed.map(({ key }) => key)).toEqual(keys);
      expect(listed[3]).toEqual({ key: 'K03', status: 'cancelled', amount: 10_000, currency: 'EUR' });
    });

    test('a signal that has aborted ends a call', async () => {
      const client = await start();
      await expect(client.requestPayment(request('A'), AbortSignal.abort())).rejects.toThrow();
      expect(await client.payment('A')).toBeUndefined();
    });
  });
}

function request(key: string): PaymentRequest {
  return { key, packageId: 1, email: 'ana@example.com', amount: 10_000, currency: 'EUR' };
}

async function requested(client: PaymentClient, key: string): Promise<string> {
  const answer = await client.requestPayment(request(key));
  if (answer.kind !== 'reserved') throw new Error(`the payment was refused: ${answer.code}`);
  return answer.number;
}
