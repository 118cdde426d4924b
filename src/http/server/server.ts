import {
  createServer as createNodeServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { ErrorCode } from '../../domain/errors.ts';
import type { Log } from '../../observability/log.ts';
import { jsonHeaders } from '../json.ts';
import { problemContentType, problemView, rawProblem } from '../problem.ts';
import { isBehindTls } from '../security.ts';
import type { RequestListener } from '../telemetry/observe-requests.ts';

/** Timeouts for clients, in ms, under Node's names. */
const defaultTimes = {
  /** The time that a client may take to send the headers of a request. */
  headersTimeout: 10_000,
  /** The time that a client may take to send a whole request. */
  requestTimeout: 30_000,
  /** Idle time between two requests. */
  keepAliveTimeout: 20_000,
  /** Idle time of the socket during a request. Must exceed the longest wait for an answer. */
  timeout: 120_000,
  /** How often the timeouts are checked. */
  connectionsCheckingInterval: 2_000,
};

export type ServerTimes = typeof defaultTimes;

/**
 * Creates the HTTP server of an app. The server does not listen yet. Malformed requests are answered with a problem
 * too, and slow clients are disconnected. `observe` may wrap the request listener.
 */
export function createServer(
  app: Pick<Hono, 'fetch'>,
  log: Log,
  observe = (listener: RequestListener) => listener,
  times: Partial<ServerTimes> = {},
): Server {
  const answer = getRequestListener(app.fetch, { errorHandler: (error) => unreadable(error, log) });
  const listener = limitPipelining(observe(answer));
  const { timeout, ...nodeTimes } = { ...defaultTimes, ...times };
  // Node would answer a request without `Host` with an empty body. `unreadable` answers such a request with a problem.
  const options = { ...nodeTimes, requireHostHeader: false };
  const server = createNodeServer(options, (incoming, outgoing) => void listener(incoming, outgoing));
  server.on('checkExpectation', refuseExpectation);
  server.timeout = timeout;
  // No limit on the number of headers. Above a limit Node silently drops the last headers, which are those that a
  // trusted proxy appends. The size of all headers stays limited to 16 KiB.
  server.maxHeadersCount = 0;
  server.on('clientError', answerClientError);
  return server;
}

/** Answers requests that node-server cannot convert to a `Request`: a missing or invalid host, or a malformed URL. */
function unreadable(error: unknown, log: Log): Response {
  const isTheirs = error instanceof Error && error.name === 'RequestError';
  if (!isTheirs) log.error({ err: error }, 'A request failed outside of the app.');
  const view = problemView(isTheirs ? 'bad_request' : 'internal');
  return new Response(JSON.stringify(view), {
    status: view.status,
    headers: jsonHeaders({ 'Content-Type': problemContentType }),
  });
}

/**
 * Answers requests with an unknown `Expect` header (RFC 9110, section 10.1.1). Without this, Node would send 417
 * without a body.
 */
function refuseExpectation(_incoming: IncomingMessage, outgoing: ServerResponse): void {
  const detail = 'Nothing is known of what the request expects.';
  const text = JSON.stringify(problemView('bad_request', { detail }));
  const headers = jsonHeaders({
    'Content-Type': problemContentType,
    'Content-Length': String(Buffer.byteLength(text)),
    Connection: 'close',
  });
  outgoing.writeHead(400, headers).end(text);
}

/**
 * Answers bytes that Node's parser refuses, and requests that do not arrive in time. Closes the connection, because
 * nobody knows where the next request begins.
 */
function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === timedOut) return endLate(socket as Socket);
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const code: ErrorCode = error.code === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'bad_request';
  socket.end(rawProblem(code));
}

const timedOut = 'ERR_HTTP_REQUEST_TIMEOUT';

/**
 * Answers 408 and stops reading. Otherwise the parser would read bytes that arrive later: after a pause of this
 * process, a request could be served although its client has already received 408. A client that sent nothing gets no
 * answer.
 */
function endLate(socket: Socket): void {
  if (socket.bytesRead > 0 && socket.writable) socket.write(rawProblem('request_timeout'));
  socket.destroy();
}

/**
 * Prepares a graceful stop. Call it before the server listens. The returned function stops the server: new connections
 * are refused, and each answer closes its connection. Its promise resolves when the last answer is sent.
 */
export function gracefulStop(server: Server): () => Promise<void> {
  const underWay = new Set<ServerResponse>();
  let isStopping = false;
  server.prependListener('request', (_request, response) => {
    response.shouldKeepAlive &&= !isStopping;
    underWay.add(response);
    response.once('close', () => underWay.delete(response));
  });
  return () =>
    new Promise((resolve) => {
      isStopping = true;
      server.close(() => resolve());
      for (const response of underWay) response.shouldKeepAlive = false;
    });
}

/**
 * Sends Strict-Transport-Security with every answer if the public origin is https: for a year browsers use only TLS for
 * this host and its subdomains (RFC 6797).
 */
export function sendHsts(server: Server, publicOrigin: string | undefined): void {
  if (publicOrigin === undefined || !isBehindTls({ publicOrigin })) return;
  server.prependListener('request', (_request, response) => {
    response.setHeader('Strict-Transport-Security', 'max-age=31536000; includeSubDomains');
  });
}

/**
 * How many requests of a connection may wait while it serves another one. Browsers pipeline none, and other clients
 * rarely do.
 */
const waitingMax = 16;
/**
 * A connection with this many waiting requests is closed. One packet of 64 KiB can hold 2,000 requests, and each uses
 * memory.
 */
const floodMin = 32;

/** The requests that wait on a connection while it serves another one. */
interface Waiting {
  count: number;
  /** Whether the last request that will be served has arrived. The answer to that request closes the connection. */
  isFull: boolean;
}

/**
 * Serves pipelined requests one after the other, up to {@link waitingMax}. The answer to the last request closes the
 * connection, which tells the client that later requests were not processed (RFC 9112, section 9.6).
 */
export function limitPipelining(listener: RequestListener): RequestListener {
  const connections = new WeakMap<Socket, Waiting>();

  function waitingAt(socket: Socket): Waiting {
    let waiting = connections.get(socket);
    if (waiting === undefined) {
      waiting = { count: 0, isFull: false };
      connections.set(socket, waiting);
    }
    return waiting;
  }

  return (incoming: IncomingMessage, outgoing: ServerResponse) => {
    // Only the current request has the socket. Nearly all requests are current when they arrive, and such requests are
    // not counted.
    const isNext = outgoing.socket !== null;
    if (isNext && !connections.has(incoming.socket)) return listener(incoming, outgoing);
    const waiting = waitingAt(incoming.socket);
    if (!isNext) waiting.count += 1;
    if (waiting.count >= floodMin) cutOff(incoming.socket);
    if (waiting.isFull || incoming.socket.destroyed) return undefined;
    if (waiting.count >= waitingMax) {
      waiting.isFull = true;
      outgoing.shouldKeepAlive = false;
    }
    if (isNext) return listener(incoming, outgoing);
    return outgoing.once('socket', () => {
      waiting.count -= 1;
      if (!incoming.socket.destroyed) void listener(incoming, outgoing);
    });
  };
}

/**
 * Closes a connection and stops Node's parser. Otherwise the parser would create a request for everything left in the
 * packet, and thousands of packets can arrive within one turn of the event loop.
 */
function cutOff(socket: Socket & { parser?: { pause?: () => void } | null }): void {
  if (socket.destroyed) return;
  socket.parser?.pause?.();
  socket.destroy();
}
