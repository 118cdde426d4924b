import type { Context, Hono } from 'hono';
import { parseOrderId } from '../../domain/order.ts';
import { Generations } from '../../lib/generations.ts';
import type { AppServices } from '../app-services.ts';
import { paymentEventBody } from '../inputs.ts';
import { limited } from '../limits.ts';
import { serveRoutes } from '../methods.ts';
import { problem } from '../problem.ts';
import { checkedJson, readJsonText } from '../request.ts';

type Services = Pick<AppServices, 'engine' | 'clock' | 'log' | 'payments' | 'limits'>;

/** How long the ids of events are remembered, in ms: for longer than an event may be old, in both directions. */
const rememberedMs = 15 * 60_000;

/** A refusal is logged again after this time, in ms, or up to twice as late: anybody may send forged events. */
const loggedMs = 60_000;

/**
 * `POST /events`: the payment provider says that a payment has changed (Standard Webhooks). An event is only a reason to
 * look the payment up: what it says is not used, so lost, late, repeated and reordered events change nothing (rule Q11).
 */
export function paymentEventRoutes(services: Services): Hono {
  const { engine, clock, log, payments, limits } = services;
  const seen = new Generations<string, true>(rememberedMs, clock);
  /** The reasons of refusals that were logged lately. There are a handful of them. */
  const logged = new Generations<string, true>(loggedMs, clock);
  const done = (c: Context) => c.body(null, 204, { 'Cache-Control': 'no-store' });

  async function receive(c: Context): Promise<Response> {
    if (payments === undefined) return problem(c, 'unknown_route');
    const text = await readJsonText(c);
    const wrong = whatIsWrong(c, text);
    if (wrong !== undefined) {
      if (logged.get(wrong) !== true) {
        logged.set(wrong, true);
        log.warn({ reason: wrong }, 'An event of the payment provider was refused.');
      }
      return problem(c, 'invalid_signature', { detail: `${wrong}.` });
    }
    const { key, status } = checkedJson(text, paymentEventBody).data;
    const eventId = c.req.header('webhook-id') ?? '';
    if (seen.get(eventId) === true) {
      log.info({ eventId }, 'An event of the payment provider came again.');
      return done(c);
    }
    const orderId = parseOrderId(key);
    const order = orderId === undefined ? undefined : await engine.order(orderId);
    if (order === undefined) {
      log.warn(
        { eventId, key: orderId ?? 'no order id' },
        'An event of the payment provider is about no order.',
      );
    } else if (order.status === 'payable') {
      const answer = await payments.lookUp(order);
      // The provider sends the event again. An order that has ended meanwhile needs no look-up.
      if (answer.kind === 'refused' && answer.code !== 'not_retryable') return problem(c, answer.code);
    } else if (order.status === 'confirmed' && status !== undefined && status !== 'paid') {
      // Such as a charge-back. The audit compares the order with the provider's ledger.
      log.warn(
        { orderId, status },
        'The payment of a confirmed order is not paid, as its provider tells: audit.',
      );
    } else {
      log.debug({ orderId, status: order.status }, 'An event of the payment provider changes nothing.');
    }
    seen.set(eventId, true);
    return done(c);
  }

  /** Why an event is not accepted; undefined if it is. */
  function whatIsWrong(c: Context, text: string): string | undefined {
    if (payments?.verify === undefined) return 'PAYMENTS_WEBHOOK_SECRET is not set';
    try {
      payments.verify(text, c.req.header());
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  return serveRoutes({ '/events': { POST: limited(limits?.lookUp, receive) } });
}
