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
import type { RequestListener } from '../telemetry/observe-requests.ts';
import { limitPipelining } from './pipelining.ts';

/** How long the other side may take, in ms. */
export interface ServerTimes {
  /** For the headers of a request. */
  readonly headersMs: number;
  /** For a whole request. */
  readonly requestMs: number;
  /** Between two requests. */
  readonly keepAliveMs: number;
  /** Without a byte in either direction, in the middle of whatever: longer than any answer is waited for. */
  readonly silenceMs: number;
  /** How often it is looked for those who take longer. */
  readonly lookEveryMs: number;
}

const defaultTimes: ServerTimes = {
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 20_000,
  silenceMs: 120_000,
  lookEveryMs: 2_000,
};

/**
 * The HTTP server of an app, not listening yet. What cannot even be read as a request is answered with a problem
 * like everything else, and who sends or reads too slowly is cut off. `observe` puts itself between a request and its answer.
 */
export function createServer(
  app: Pick<Hono, 'fetch'>,
  log: Log,
  observe = (listener: RequestListener) => listener,
  times: Partial<ServerTimes> = {},
): Server {
  const answer = getRequestListener(app.fetch, { errorHandler: (error) => unreadable(error, log) });
  const listener = limitPipelining(observe(answer));
  const { headersMs, requestMs, keepAliveMs, silenceMs, lookEveryMs } = { ...defaultTimes, ...times };
  const options = {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: lookEveryMs,
    // Node would refuse it without a word: see `unreadable`.
    requireHostHeader: false,
  };
  const server = createNodeServer(options, (incoming, outgoing) => void listener(incoming, outgoing));
  server.on('checkExpectation', refuseExpectation);
  server.timeout = silenceMs;
  // Node leaves headers beyond this out, silently, and what a trusted proxy has added stands at the end. There are no
  // more of them than 16 KiB hold.
  server.maxHeadersCount = 0;
  server.on('clientError', answerClientError);
  return server;
}

/** For requests that node-server cannot make a `Request` of: no host or an impossible one, a broken address. */
function unreadable(error: unknown, log: Log): Response {
  const isTheirs = error instanceof Error && error.name === 'RequestError';
  if (!isTheirs) log.error({ err: error }, 'A request failed outside of the app.');
  const view = problemView(isTheirs ? 'bad_request' : 'internal');
  return new Response(JSON.stringify(view), {
    status: view.status,
    headers: jsonHeaders({ 'Content-Type': problemContentType }),
  });
}

/** For who expects what nobody knows (RFC 9110, 10.1.1). Node would say 417, and no more. */
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
 * For bytes that Node's parser refuses, and requests that do not arrive in time. The connection ends: nobody knows
 * where a next request would begin.
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
 * The parser would go on with what arrives now: a request that had waited in the network while this process stood
 * still would be served behind an answer that is not its own. So nothing is read any more; and where nothing was,
 * nobody has asked for an answer.
 */
function endLate(socket: Socket): void {
  if (socket.bytesRead > 0 && socket.writable) socket.write(rawProblem('request_timeout'));
  socket.destroy();
}

/**
 * Prepares a server, before it listens, to stop without cutting anybody off. The function returned stops it: nothing
 * new is accepted, every answer from then on ends its connection, and the promise resolves when the last one is out.
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
