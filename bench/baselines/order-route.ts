import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';

/** A checked body of `POST /api/orders`. */
export interface Purchase {
  readonly packageId: number;
  readonly email: string;
  readonly key?: string;
}

/** The order of a baseline. Flight and hotel numbers are made up. */
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

/** Sells a unit. Returns the order, or the reason for a refusal. */
export type Sell = (purchase: Purchase) => Promise<object | Refusal> | object | Refusal;

const refusals = {
  sold_out: { status: 409, title: 'Sold out' },
  unknown_package: { status: 404, title: 'Unknown package' },
  invalid: { status: 422, title: 'Invalid input' },
} as const;

/**
 * The product's purchase route with another implementation of selling, and `GET /audit`, which waits for the purchases
 * in progress and then checks that the sold units add up.
 */
export function orderRoute(sell: Sell, audit: () => Promise<Audit> | Audit): RequestListener {
  let underWay = 0;
  const counted = async (purchase: Purchase) => {
    underWay += 1;
    try {
      return await sell(purchase);
    } finally {
      underWay -= 1;
    }
  };
  const app = new Hono()
    .post('/api/orders', async (c) => {
      const purchase = checkPurchase(
        await c.req.json().catch(() => undefined),
        c.req.header('idempotency-key'),
      );
      const outcome = purchase === undefined ? 'invalid' : await counted(purchase);
      return typeof outcome === 'string' ? refused(outcome) : answer(201, outcome, 'application/json');
    })
    .get('/audit', async () => {
      while (underWay > 0) await sleep(10);
      return answer(200, await audit(), 'application/json');
    });
  // Like the product's server.
  const listener = getRequestListener(app.fetch);
  return (incoming, outgoing) => void listener(incoming, outgoing);
}

/** A confirmed order with made-up numbers. */
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

/** Written by hand, because that is faster than a schema. @returns undefined for an invalid purchase. */
export function checkPurchase(body: unknown, key: string | undefined): Purchase | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { packageId, email } = body as Record<string, unknown>;
  if (typeof packageId !== 'number' || !Number.isSafeInteger(packageId) || packageId < 1) return undefined;
  if (typeof email !== 'string' || email.length > 254 || !email.includes('@')) return undefined;
  if (key === undefined) return { packageId, email };
  return key.length > 0 && key.length <= 255 ? { packageId, email, key } : undefined;
}

function refused(code: Refusal): Response {
  const problem = problemOf(code);
  return answer(problem.status, problem, 'application/problem+json');
}

/** The body of a refusal (RFC 9457). */
export function problemOf(code: Refusal) {
  const { status, title } = refusals[code];
  return { type: `/problems/${code}`, title, status, code };
}

/** Without Hono's context and with plain headers, which node-server sends fastest. */
function answer(status: number, value: object, type: string): Response {
  return new Response(JSON.stringify(value), { status, headers: { 'Content-Type': type } });
}
