import { Webhook } from 'standardwebhooks';
import { abortSignalOf } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { withTimeout } from '../lib/deadline.ts';
import type { Random } from '../lib/random.ts';
import { webhookHeaders } from '../lib/webhook-headers.ts';
import type { EventVerifier, PaymentEntry } from './suppliers.ts';

/** An event with its signature, as Standard Webhooks defines (https://www.standardwebhooks.com). */
export interface SignedEvent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Signs the event of a payment that has changed. @param secret in base64, with or without `whsec_`. */
export function signedEvent(
  { key, status, amount, currency }: PaymentEntry,
  secret: string,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): SignedEvent {
  const sentAt = new Date(clock.now());
  const id = `msg_${Buffer.from(random.bytes(16)).toString('base64url')}`;
  const data = { key, status, amount, currency };
  const body = JSON.stringify({ type: `payment.${status}`, timestamp: sentAt.toISOString(), data });
  return { headers: webhookHeaders(new Webhook(secret), { id, sentAt, body }), body };
}

/** How long the delivery of an event may take, in ms. */
const deliveryMs = 5_000;

/**
 * Sends an event once. A lost event only delays its order, because payments are looked up too.
 * @throws Error if the event is not accepted.
 */
export async function deliverEvent({ headers, body }: SignedEvent, url: string, clock: Clock): Promise<void> {
  const status = await withTimeout({ ms: deliveryMs, clock }, async (ending) => {
    const signal = abortSignalOf(ending);
    const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'error', signal });
    await answer.body?.cancel();
    return answer.status;
  });
  if (status >= 300) throw new Error(`the shop answered an event with status ${status}`);
}

/** Checks events. @param secret in base64, with or without `whsec_`. */
export function eventVerifier(secret: string): EventVerifier {
  const webhook = new Webhook(secret);
  return (body, headers) => {
    webhook.verify(body, headers, { jsonParse: false });
  };
}
