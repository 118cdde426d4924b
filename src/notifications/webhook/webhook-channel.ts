import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { AbortState } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';
import { TimeoutError, withTimeout } from '../../lib/deadline.ts';
import { webhookHeaders } from '../../lib/webhook-headers.ts';
import { type Channel, DeliveryError } from '../channel.ts';
import { orderEventId, orderEventView } from './order-event.ts';
import { publicLookup, requirePublic } from './public-address.ts';

export interface WebhookChannelOptions {
  readonly url: string;
  /** As Standard Webhooks defines it: `whsec_` and base64. */
  readonly secret: string;
  /** Whether the receiver may have an address that is not public. */
  readonly allowsPrivate: boolean;
  readonly clock: Clock;
  /** Default: 15 s, as Standard Webhooks recommends. */
  readonly timeoutMs?: number;
}

const deliveriesMax = 16;
/** Receivers answer with a status. More than this is not read, and the connection is closed. */
const answerBytesMax = 16_384;

/**
 * Sends events to a URL, as Standard Webhooks defines it (https://www.standardwebhooks.com). An answer 2xx means that the
 * event was received. Redirects are not followed.
 */
export function webhookChannel(options: WebhookChannelOptions): Channel {
  const { secret, allowsPrivate, clock, timeoutMs = 15_000 } = options;
  const url = new URL(options.url);
  const webhook = new Webhook(secret);
  const lookup = allowsPrivate ? {} : { lookup: publicLookup() };
  const agentOptions = { keepAlive: true, maxSockets: deliveriesMax, ...lookup };
  const isTls = url.protocol === 'https:';
  const agent = isTls ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    ...{ name: 'webhook', deliveriesMax },
    async deliver(notice, signal) {
      // No name is resolved for an address, so it is checked here.
      if (!allowsPrivate && isIP(host) !== 0) requirePublic(host);
      const id = orderEventId(notice);
      const body = JSON.stringify(orderEventView(notice));
      const sentAt = new Date(clock.now());
      const request = (isTls ? httpsRequest : httpRequest)(url, {
        agent,
        method: 'POST',
        headers: {
          'content-length': Buffer.byteLength(body),
          'user-agent': 'ticket-booking',
          ...webhookHeaders(webhook, { id, sentAt, body }),
        },
      });
      const late = () => new TimeoutError('no answer in time');
      const status = await withTimeout({ ms: timeoutMs, stop: signal, clock, late }, (ending) =>
        answerTo(request, body, ending),
      ).catch((error: unknown) => {
        throw explain(error);
      });
      if (status < 200 || status > 299) throw new DeliveryError(`HTTP ${status}`);
    },
    close: () => agent.destroy(),
  };
}

/** Sends the request. Resolves with the status once the answer has ended, or is too long. */
function answerTo(request: ClientRequest, body: string, ending: AbortState): Promise<number> {
  return new Promise((resolve, reject) => {
    ending.addEventListener('abort', () => request.destroy(), { once: true });
    request.on('error', reject);
    request.on('response', (answer) => {
      const { statusCode = 0 } = answer;
      ignoreBody(answer, () => resolve(statusCode));
      answer.on('error', reject);
    });
    request.end(body);
  });
}

/** Reads the body, because its connection is used again. A long one costs its connection. */
function ignoreBody(answer: IncomingMessage, done: () => void): void {
  let bytes = 0;
  answer.on('data', ({ length }: Buffer) => {
    bytes += length;
    if (bytes <= answerBytesMax) return;
    answer.destroy();
    done();
  });
  answer.on('end', done);
}

/** The texts of errors may contain the URL, which may contain a token. */
function explain(error: unknown): DeliveryError {
  if (error instanceof DeliveryError) return error;
  if (error instanceof TimeoutError) return new DeliveryError(error.message);
  const code = (error as { readonly code?: unknown }).code;
  return new DeliveryError(
    typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : 'the connection failed',
  );
}
