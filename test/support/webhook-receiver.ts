import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface ReceivedWebhook {
  readonly method: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface WebhookReceiver {
  readonly origin: string;
  readonly secret: string;
  /** All requests so far, oldest first. */
  readonly requests: readonly ReceivedWebhook[];
  /** How requests are answered; default 204. */
  answer: (response: ServerResponse) => void;
  /** The body of a request, by an independent verifier. @throws Error unless its signature is right. */
  verified(request: ReceivedWebhook): unknown;
  close(): Promise<void>;
}

/** Starts a receiver of webhooks on a free port of the loopback. */
export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const requests: ReceivedWebhook[] = [];
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      requests.push({ method: request.method, headers: request.headers, body });
      receiver.answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: WebhookReceiver = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    secret,
    requests,
    answer: (response) => response.writeHead(204).end(),
    verified: ({ body, headers }) => new Webhook(secret).verify(body, headers as Record<string, string>),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return receiver;
}
