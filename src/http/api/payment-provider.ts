import type { Context, Hono } from 'hono';
import type { PaymentProvider } from '../../suppliers/suppliers.ts';
import { cursorInput, paymentBody, storedKey } from '../inputs.ts';
import { sendJson } from '../json.ts';
import { serveRoutes } from '../methods.ts';
import { ProblemError, problem } from '../problem.ts';
import { readIdempotencyKey, readJson } from '../request.ts';
import { checked, tokenCheck, unauthorized } from './suppliers.ts';

export interface PaymentProviderOptions {
  readonly provider: PaymentProvider;
  /** What callers must send as bearer token. Absent: everyone may call, because only other servers can reach it. */
  readonly token?: string | undefined;
}

/**
 * The payment protocol of the simulated provider: `POST /` requests a payment, `GET /:key` looks it up, `DELETE /:key`
 * cancels or refunds it, and `GET /` is the ledger. The key of a payment is the order's id.
 */
export function paymentProviderRoutes({ provider, token }: PaymentProviderOptions): Hono {
  const hasToken = tokenCheck(token);

  function requireToken(c: Context): void {
    if (token !== undefined && !hasToken(c))
      throw unauthorized('This is for callers with the token of the payment provider.');
  }

  async function request(c: Context): Promise<Response> {
    requireToken(c);
    const key = readIdempotencyKey(c);
    if (key === undefined) {
      const errors = [{ path: 'Idempotency-Key', message: 'must be given: the id of the order' }];
      throw new ProblemError('invalid', { errors });
    }
    const { amount, currency, returnUrl } = await readJson(c, paymentBody);
    const { origin } = new URL(c.req.url);
    const answer = await provider.request({ key, amount, currency, returnUrl }, origin);
    if (answer.kind === 'refused') return problem(c, answer.code);
    return sendJson(201, { paymentUrl: answer.number });
  }

  async function find(c: Context): Promise<Response> {
    requireToken(c);
    const payment = await provider.find(keyOf(c));
    return payment === undefined ? problem(c, 'unknown_payment') : sendJson(200, payment);
  }

  async function cancel(c: Context): Promise<Response> {
    requireToken(c);
    await provider.cancel(keyOf(c));
    return c.body(null, 204, { 'Cache-Control': 'no-store' });
  }

  async function ledger(c: Context): Promise<Response> {
    requireToken(c);
    const { items, next } = await provider.page(checked(cursorInput, 'cursor', c.req.query('cursor')));
    return sendJson(200, next === undefined ? { payments: items } : { payments: items, next });
  }

  return serveRoutes({
    '/': { POST: request, GET: ledger },
    '/:key': { GET: find, DELETE: cancel },
  });
}

function keyOf(c: Context): string {
  return checked(storedKey, 'key', c.req.param('key'));
}
