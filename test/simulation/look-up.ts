import { Hono } from 'hono';
import type { BookingEngine } from '../../src/engine/engine.ts';
import { orderRoutes } from '../../src/http/api/orders.ts';
import { onError } from '../../src/http/problem.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/observability/log.ts';

/** The answer to a look-up. */
export interface LookUpResult {
  readonly status: number;
  /** The headers and the body. */
  readonly text: string;
  /** How many store reads and look-ups this instance has made so far. */
  readonly reads: number;
  readonly looks: number;
}

/** The settings of the API's routes: all instances have the same secret. */
export const routeSettings = { secret: 'the-secret-of-the-simulation-0123' };

export type LookUp = (id: string, email: string) => Promise<LookUpResult>;

/** Looks up orders at one instance through the production API routes. */
export function lookUps(engine: BookingEngine, clock: Clock): LookUp {
  let [reads, looks] = [0, 0];
  const order = (id: string) => {
    reads += 1;
    return engine.order(id);
  };
  const seen = {
    order,
    queuePosition: (given) => engine.queuePosition(given),
    estimatedWait: (packageId, position) => engine.estimatedWait(packageId, position),
  } as BookingEngine;
  let app: Hono | undefined;
  return async (id, email) => {
    app ??= new Hono()
      .route('/', orderRoutes({ engine: seen, clock, settings: routeSettings }))
      .onError(onError(silentLog));
    looks += 1;
    const asked = await app.request(`/${encodeURIComponent(id)}?email=${encodeURIComponent(email)}`);
    const headers = JSON.stringify([...asked.headers]);
    return { status: asked.status, text: `${headers} ${await asked.text()}`, reads, looks };
  };
}
