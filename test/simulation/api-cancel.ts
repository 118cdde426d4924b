import { Hono } from 'hono';
import type { Order } from '../../src/domain/order.ts';
import type { ActorEngine } from '../../src/engine/actor/actor-engine.ts';
import { orderRoutes } from '../../src/http/api/orders.ts';
import { onError } from '../../src/http/problem.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/observability/log.ts';
import { routeSettings } from './look-up.ts';

/** An answer of the API about an order. */
export interface ApiAnswer {
  readonly status: number;
  /** The code of a problem. */
  readonly code: string | undefined;
  /** The order that the answer shows. */
  readonly order: Pick<Order, 'status' | 'reason'> | undefined;
}

/** @param waits whether the answer waits for the order's outcome. */
export type ApiCancel = (id: string, email: string, waits: boolean) => Promise<ApiAnswer>;

/** Cancels orders at one instance through the production API routes. */
export function apiCancels(engine: ActorEngine, clock: Clock): ApiCancel {
  let app: Hono | undefined;
  return async (id, email, waits) => {
    app ??= new Hono()
      .route('/', orderRoutes({ engine, clock, settings: routeSettings }))
      .onError(onError(silentLog));
    const headers = { 'content-type': 'application/json', ...(waits ? {} : { prefer: 'wait=0' }) };
    const body = JSON.stringify({ email });
    const answer = await app.request(`/${id}/cancel`, { method: 'POST', headers, body });
    const shown = JSON.parse(await answer.text());
    const { code } = shown;
    return { status: answer.status, code, order: code === undefined ? shown : shown.order };
  };
}
