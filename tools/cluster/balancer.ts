import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { defined } from '../../src/lib/defined.ts';
import { Health } from './health.ts';
import { tunnel } from './tunnel.ts';

export interface BalancerOptions {
  /** The instances: `http://127.0.0.1:8881`. */
  readonly origins: readonly string[];
  readonly port: number;
  readonly host?: string;
  /** Interval of the requests to each instance's `/readyz`; default 250 ms. */
  readonly checkMs?: number;
}

export interface Balancer {
  readonly origin: string;
  /** Waits this long for answers in progress, then closes their connections. */
  close(timeoutMs?: number): Promise<void>;
}

/** Headers that belong to one connection only (RFC 9110, section 7.6.1). */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/**
 * A small load balancer for a cluster on one machine. Each request goes to the next ready instance, also within one
 * kept-alive connection, but the purchases of a package (`POST /api/packages/:id/orders`) all go to the same one.
 * WebSockets are passed through. A refused connection is retried at the next instance, and so is
 * one that ended before an answer if repeating the request is safe. Bodies are read into memory.
 * @throws Error when the port is in use.
 */
export async function startBalancer({ origins, port, host, checkMs }: BalancerOptions): Promise<Balancer> {
  const health = new Health(origins, checkMs);
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const server = createServer({ keepAliveTimeout: 65_000 }, (incoming, response) => {
    void new Exchange(incoming, response, health.candidates(incoming.url), agent).run();
  });
  const tunnels = new Set<Duplex>();
  server.on('upgrade', (incoming, socket, head) => {
    tunnels.add(socket);
    socket.once('close', () => tunnels.delete(socket));
    tunnel(incoming, socket, head, health.candidates());
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  await health.start();
  try {
    server.listen({ port, backlog: 4096, ...defined({ host }) });
    await once(server, 'listening');
  } catch (error) {
    health.stop();
    throw error;
  }
  return {
    origin: `http://${host ?? 'localhost'}:${(server.address() as AddressInfo).port}`,
    async close(timeoutMs = 1_000) {
      health.stop();
      const closed = once(server, 'close');
      server.close();
      const timer = setTimeout(() => {
        server.closeAllConnections();
        for (const socket of tunnels) socket.destroy();
      }, timeoutMs);
      await closed;
      clearTimeout(timer);
      agent.destroy();
    },
  };
}

/** One request and its answer. */
class Exchange {
  readonly #incoming: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #candidates: readonly URL[];
  readonly #agent: Agent;

  constructor(incoming: IncomingMessage, response: ServerResponse, candidates: readonly URL[], agent: Agent) {
    this.#incoming = incoming;
    this.#response = response;
    this.#candidates = candidates;
    this.#agent = agent;
  }

  async run(): Promise<void> {
    // A complete body can be sent to another instance too.
    const body = await buffer(this.#incoming).catch(() => undefined);
    if (body === undefined) return;
    for (const target of this.#candidates) {
      const tried = await this.#try(target, body);
      if (tried === 'done') return;
      if (tried === 'cut' && !this.#isRepeatable()) {
        return this.#refuse(502, 'The instance ended during this request, and may have executed it.');
      }
    }
    this.#refuse(503, 'No instance can be reached.');
  }

  /** `refused`: the instance did not get the request. `cut`: it may have got it, but there was no answer. */
  #try(target: URL, body: Buffer): Promise<'done' | 'refused' | 'cut'> {
    const { method = 'GET', url: path = '/' } = this.#incoming;
    return new Promise((resolve) => {
      let isConnected = false;
      const outgoing = request({
        agent: this.#agent,
        hostname: target.hostname,
        port: target.port,
        method,
        path,
        headers: forwarded(this.#incoming),
      });
      outgoing.on('socket', (socket) => {
        if (!socket.connecting) isConnected = true;
        else socket.once('connect', () => (isConnected = true));
      });
      const hangUp = () => outgoing.destroy();
      this.#response.once('close', hangUp);
      outgoing.on('response', (answer) => {
        this.#pass(answer);
        resolve('done');
      });
      outgoing.on('error', () => {
        this.#response.off('close', hangUp);
        if (this.#response.headersSent || this.#response.destroyed) {
          this.#response.destroy();
          resolve('done');
        } else {
          resolve(isConnected ? 'cut' : 'refused');
        }
      });
      outgoing.end(body);
    });
  }

  #pass(answer: IncomingMessage): void {
    this.#response.writeHead(answer.statusCode ?? 502, answer.statusMessage, withoutHops(answer.headers));
    answer.pipe(this.#response);
    answer.once('error', () => this.#response.destroy());
  }

  /** Idempotent by its method (RFC 9110, section 9.2.2), or because it has an Idempotency-Key. */
  #isRepeatable(): boolean {
    const { method = 'GET', headers } = this.#incoming;
    return /^(GET|HEAD|OPTIONS|PUT|DELETE)$/.test(method) || headers['idempotency-key'] !== undefined;
  }

  #refuse(status: 502 | 503, detail: string): void {
    if (this.#response.headersSent || this.#response.destroyed) return;
    const title = status === 503 ? 'No instance can take this request now' : 'An instance gave no answer';
    const body = JSON.stringify({ type: 'about:blank', title, status, detail });
    this.#response.writeHead(status, { 'Content-Type': 'application/problem+json', 'Retry-After': '1' });
    this.#response.end(body);
  }
}

function withoutHops(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  const kept = Object.entries(headers).filter(([name]) => !hopByHop.includes(name) && !named.includes(name));
  return Object.fromEntries(kept);
}

/**
 * The client's headers and address. `Host` is kept, because the server compares it with the origin of forms and
 * sockets.
 */
function forwarded(incoming: IncomingMessage): IncomingHttpHeaders {
  const { headers, socket } = incoming;
  const before = headers['x-forwarded-for'];
  const client = socket.remoteAddress ?? 'unknown';
  const isChunked = headers['transfer-encoding'] !== undefined;
  return {
    ...withoutHops(headers),
    ...(isChunked ? { 'transfer-encoding': 'chunked' } : {}),
    'x-forwarded-for': before === undefined ? client : `${String(before)}, ${client}`,
    'x-forwarded-proto': 'http',
  };
}
