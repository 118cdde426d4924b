import { createServer as createNodeServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { ErrorCode } from '../domain/errors.ts';
import type { Log } from '../ports/log.ts';
import { problemContentType, problemView } from './problem.ts';
import { rawProblem } from './raw-problem.ts';

/**
 * The HTTP server of an app, not listening yet. What cannot even be read as a request is answered with a problem
 * like everything else, and slow senders are cut off.
 */
export function createServer(app: Pick<Hono, 'fetch'>, log: Log): Server {
  const listener = getRequestListener(app.fetch, { errorHandler: (error) => unreadable(error, log) });
  const timeouts = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 20_000 };
  const server = createNodeServer(timeouts, (incoming, outgoing) => void listener(incoming, outgoing));
  server.on('clientError', answerClientError);
  return server;
}

/** For requests that node-server cannot make a `Request` of: an impossible host, a broken address. */
function unreadable(error: unknown, log: Log): Response {
  const isTheirs = error instanceof Error && error.name === 'RequestError';
  if (!isTheirs) log.error({ err: error }, 'A request failed outside of the app.');
  const view = problemView(isTheirs ? 'bad_request' : 'internal');
  return new Response(JSON.stringify(view), {
    status: view.status,
    headers: { 'Content-Type': problemContentType, 'Cache-Control': 'no-store' },
  });
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
