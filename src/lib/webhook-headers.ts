import type { Webhook } from 'standardwebhooks';

/** What a webhook says. `id` is the same each time that it is sent. */
export interface WebhookMessage {
  readonly id: string;
  readonly sentAt: Date;
  readonly body: string;
}

/** The headers of a signed JSON message, as Standard Webhooks defines them (https://www.standardwebhooks.com). */
export function webhookHeaders(webhook: Webhook, { id, sentAt, body }: WebhookMessage) {
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1_000)),
    'webhook-signature': webhook.sign(id, sentAt, body),
  };
}
