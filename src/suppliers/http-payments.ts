import { z } from 'zod';
import { defined } from '../lib/defined.ts';
import { ledgerBytesMax, problem, refuseIfForbidden, unexpected } from './http-protocol.ts';
import { type ProtocolServer, protocolClient } from './protocol-client.ts';
import { type PaymentClient, paymentStatuses } from './suppliers.ts';

const urlMax = 2_000;

export interface HttpPaymentsOptions extends ProtocolServer {
  /** The address of an order's page, to which the provider sends the buyer back. */
  readonly returnUrl: (orderId: string) => string;
}

/** The body of a 201 answer: the page where the buyer pays. Browsers follow it, so no other scheme is accepted. */
const requested = z
  .object({ paymentUrl: z.url({ protocol: /^https?$/ }).max(urlMax) })
  .transform(({ paymentUrl }) => paymentUrl);

/**
 * The statuses of an answer that refuses the payment of one order, whatever its problem is. All others say nothing of this
 * order: 401 or 404, for example, come from a wrong setting, 408 or 429 from the load, and 409 from a request that is still
 * under way.
 */
const refusing: ReadonlySet<number> = new Set([400, 402, 413, 422]);

const amount = z.object({ amount: z.int().min(0), currency: z.string().regex(/^[A-Z]{3}$/) });
const status = z.enum(paymentStatuses);
const state = z.object({
  status,
  amount: amount.shape.amount.exactOptional(),
  currency: amount.shape.currency.exactOptional(),
});

const ledgerPage = z.object({
  payments: z.array(amount.extend({ status, key: z.string().min(1).max(300) })),
  next: z.string().min(1).max(1000).optional(),
});

/**
 * The client of the payment protocol, over HTTP with persistent connections. The key of a payment is the order's id.
 *
 * An answer that the protocol does not define throws, because a payment may or may not exist then. The error's message
 * names the problem, and repeats no body.
 * @throws TypeError if the URL is invalid.
 */
export function httpPayments({ returnUrl, ...server }: HttpPaymentsOptions): PaymentClient {
  const ask = protocolClient(server);
  const pathOf = (key: string) => `payments/${encodeURIComponent(key)}`;
  return {
    provider: 'external',

    async requestPayment({ key, amount, currency, email }, signal) {
      const headers = { 'content-type': 'application/json', 'idempotency-key': key };
      const body = JSON.stringify({ amount, currency, email, returnUrl: returnUrl(key) });
      const reply = await ask('payments', { method: 'POST', headers, body }, signal);
      // A provider may answer a repeated request with 200.
      if (reply.status === 201 || reply.status === 200) {
        const parsed = requested.safeParse(reply.json);
        if (parsed.success) return { kind: 'reserved', number: parsed.data };
      }
      const code = problem.safeParse(reply.json).data?.code;
      if (reply.status === 409 && (code === 'payment_refused' || code === 'cancelled'))
        return { kind: 'refused', code };
      const error = unexpected('payments', reply);
      if (refusing.has(reply.status))
        return { kind: 'refused', code: 'payment_refused', cause: error.message };
      throw error;
    },

    async payment(key, signal) {
      const reply = await ask(pathOf(key), { method: 'GET' }, signal);
      if (reply.status === 404) return undefined;
      const parsed = reply.status === 200 ? state.safeParse(reply.json) : undefined;
      if (parsed?.success !== true) throw unexpected('payments', reply);
      return parsed.data;
    },

    async payments(cursor, signal) {
      const query = cursor === undefined ? '' : `?cursor=${encodeURIComponent(cursor)}`;
      const reply = await ask(`payments${query}`, { method: 'GET' }, signal, ledgerBytesMax);
      refuseIfForbidden(reply);
      const page = reply.status === 200 ? ledgerPage.safeParse(reply.json) : undefined;
      if (page === undefined) throw unexpected('payments', reply);
      if (!page.success) throw new Error(`payments: a malformed ledger page, status ${reply.status}`);
      const { payments, next } = page.data;
      return defined({ items: payments, next });
    },

    async cancelPayment(key, signal) {
      const reply = await ask(pathOf(key), { method: 'DELETE' }, signal);
      if (reply.status !== 204) throw unexpected('payments', reply);
    },
  };
}
