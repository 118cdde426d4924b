import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Hono } from 'hono';

/** `POST /api/orders`, checked. */
export interface Purchase {
  readonly packageId: number;
  readonly email: string;
  readonly key?: string;
}

/** What a baseline stores of an order, or only says: nobody was asked for the flight and the room. */
export interface BaselineOrder {
  readonly id: string;
  readonly packageId: number;
  readonly email: string;
  readonly status: 'confirmed';
  readonly flight: { readonly ticketNumber: string };
  readonly hotel: { readonly reservationNumber: string };
  readonly createdAt: string;
}

export type Refusal = keyof typeof refusals;

export interface Audit {
  readonly verdict: 'clean' | 'void' | 'none';
  readonly detail: string;
}

/** Sells and says what, or why not. */
export type Sell = (purchase: Purchase) => Promise<object | Refusal> | object | Refusal;

const refusals = {
  sold_out: { status: 409, title: 'Sold out' },
  unknown_package: { status: 404, title: 'Unknown package' },
  invalid: { status: 422, title: 'Invalid input' },
} as const;

/**
 * The product's route around another way to sell, and `GET /audit`: whether what was sold adds up, once the purchases
 * under way have ended, those of callers who hung up included.
 */
export function orderRoute(sell: Sell, audit: () => Promise<Audit> | Audit): Hono {
  let underWay = 0;
  const counted = async (purchase: Purchase) => {
    underWay += 1;
    try {
      return await sell(purchase);
    } finally {
      underWay -= 1;
    }
  };
  return new Hono()
    .post('/api/orders', async (c) => {
      const purchase = check(await c.req.json().catch(() => undefined), c.req.header('idempotency-key'));
      const outcome = purchase === undefined ? 'invalid' : await counted(purchase);
      return typeof outcome === 'string' ? refused(outcome) : answer(201, outcome, 'application/json');
    })
    .get('/audit', async () => {
      while (underWay > 0) await sleep(10);
      return answer(200, await audit(), 'application/json');
    });
}

/** A confirmed order with numbers that are made up. */
export function confirmed({ packageId, email }: Purchase): BaselineOrder {
  const id = randomUUID();
  return {
    id,
    packageId,
    email,
    status: 'confirmed',
    flight: { ticketNumber: `F${id.slice(0, 8)}` },
    hotel: { reservationNumber: `H${id.slice(-8)}` },
    createdAt: new Date().toISOString(),
  };
}

/** By hand, as it costs least. */
function check(body: unknown, key: string | undefined): Purchase | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { packageId, email } = body as Record<string, unknown>;
  if (typeof packageId !== 'number' || !Number.isSafeInteger(packageId) || packageId < 1) return undefined;
  if (typeof email !== 'string' || email.length > 254 || !email.includes('@')) return undefined;
  if (key === undefined) return { packageId, email };
  return key.length > 0 && key.length <= 255 ? { packageId, email, key } : undefined;
}

function refused(code: Refusal): Response {
  const { status, title } = refusals[code];
  return answer(status, { type: `/problems/${code}`, title, status, code }, 'application/problem+json');
}

/** Without Hono's context and with plain headers: what node-server sends fastest. */
function answer(status: number, value: object, type: string): Response {
  return new Response(JSON.stringify(value), { status, headers: { 'Content-Type': type } });
}
