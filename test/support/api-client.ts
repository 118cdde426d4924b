import type { OrderView } from '../../src/http/api/views.ts';

/** What a buyer heard. */
export interface ApiReply {
  readonly status: number;
  /** The catalogue's code, where the reply is a problem. */
  readonly code?: string;
  /** The order, whether it is the body or a problem's member. */
  readonly order?: OrderView;
}

export interface BuyOptions {
  readonly email?: string;
  readonly key?: string;
  readonly prefer?: string;
  readonly signal?: AbortSignal;
}

/** Buys over the API. @throws Error when the connection fails: the outcome is unknown. */
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
