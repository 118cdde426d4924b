import { Hono } from 'hono';
import type { ActorEngine } from '../../src/engine/actor/actor-engine.ts';
import { paymentEventRoutes } from '../../src/http/api/payment-events.ts';
import { onError } from '../../src/http/problem.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/observability/log.ts';
import type { PaymentStatus } from '../../src/suppliers/suppliers.ts';

/** An event of the payment provider, or of somebody who pretends to be the provider. */
export interface SimEvent {
  readonly id: string;
  readonly key: string;
  /** What the event says. It need not be so. */
  readonly status: PaymentStatus;
  readonly isForged: boolean;
}

/** Receives an event. Returns the status of the answer. */
export type EventReceiver = (event: SimEvent) => Promise<number>;

/** Receives events at one instance through the production route, with a signature that is only a word. */
export function eventReceiver(engine: ActorEngine, clock: Clock): EventReceiver {
  let app: Hono | undefined;
  const verify = (_: string, headers: Record<string, string>) => {
    if (headers['webhook-signature'] !== 'right') throw new Error('No matching signature found');
  };
  const open = () => {
    const payments = { verify, lookUp: engine.retry.bind(engine) };
    const routes = paymentEventRoutes({ engine, clock, log: silentLog, payments });
    return new Hono().route('/', routes).onError(onError(silentLog));
  };
  return async ({ id, key, status, isForged }) => {
    app ??= open();
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-signature': isForged ? 'wrong' : 'right',
    };
    const body = JSON.stringify({ type: `payment.${status}`, data: { key, status } });
    return (await app.request('/events', { method: 'POST', headers, body })).status;
  };
}
