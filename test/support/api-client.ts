import type { OrderView } from '../../src/http/api/views.ts';

/** An answer of the API to a buyer. */
export interface ApiReply {
  readonly status: number;
  /** The error code if the answer is a problem. */
  readonly code?: string;
  /** The order in the body, or in a problem's `order` member. */
  readonly order?: OrderView;
}

export interface BuyOptions {
  readonly email?: string;
  readonly key?: string;
  readonly prefer?: string;
  readonly signal?: AbortSignal;
}

/**
 * Buys over the API.
 * @throws Error when the connection fails, so that the outcome is unknown.
 */
export async function buy(origin: string, packageId: number, options: BuyOptions = {}): Promise<ApiReply> {
  const { email = 'buyer@example.com', key, prefer, signal } = options;
  const response = await fetch(`${origin}/api/orders`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...(prefer === undefined ? {} : { prefer }),
    },
    body: JSON.stringify({ packageId, email }),
    ...(signal === undefined ? {} : { signal }),
  });
  return read(response);
}

export async function lookUp(origin: string, id: string, email: string): Promise<ApiReply> {
  return read(await fetch(`${origin}/api/orders/${id}?email=${encodeURIComponent(email)}`));
}

export async function cancel(origin: string, id: string, email: string): Promise<ApiReply> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ email });
  return read(await fetch(`${origin}/api/orders/${id}/cancel`, { method: 'POST', headers, body }));
}

async function read(response: Response): Promise<ApiReply> {
  const body = (await response.json()) as OrderView & { code?: string; order?: OrderView };
  const { status } = response;
  if (body.code === undefined) return { status, order: body };
  return { status, code: body.code, ...(body.order === undefined ? {} : { order: body.order }) };
}

/** Logs in as an operator. Returns the cookie of the session. */
export async function logInAsOperator(origin: string, token: string): Promise<string> {
  const body = new URLSearchParams({ token });
  const answer = await fetch(`${origin}/admin/log-in`, { method: 'POST', body, redirect: 'manual' });
  return answer.headers.getSetCookie().join('; ').split(';')[0] ?? '';
}
