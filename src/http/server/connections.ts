import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '../../domain/errors.ts';
import type { ClientResolver } from '../../rate-limits/client-address.ts';
import { ConcurrencyLimit } from '../../rate-limits/concurrency-limit.ts';
import { rawProblem } from '../problem.ts';

interface ConnectionLimits {
  /** The most open connections of all clients together. */
  readonly max: number;
  /** The most open connections of one client. 0: no limit. */
  readonly maxPerClient: number;
  readonly clients: Pick<ClientResolver, 'ofConnection'>;
}

/** An estimate, because another connection has to close first. */
const retryAfterS = 10;
/** How long a refused connection may take to read the reason. */
const refusalTimeoutMs = 1_000;
/** The most refusals that are written at a time. Further connections are closed without an answer. */
const refusalsMax = 256;

/**
 * Limits the open connections of the server (503) and of each client (429). Refuses further connections before it reads
 * from them. Connections of trusted proxies count only for the server's limit. Call it before the server listens.
 */
export function limitConnections(server: Server, { max, maxPerClient, clients }: ConnectionLimits): void {
  const perClient = new ConcurrencyLimit(maxPerClient);
  const serve = server.listeners('connection');
  let open = 0;
  let leaving = 0;

  function refuse(socket: Socket, code: ErrorCode): void {
    if (leaving >= refusalsMax) {
      socket.destroy();
      return;
    }
    leaving += 1;
    const cut = setTimeout(() => socket.destroy(), refusalTimeoutMs).unref();
    socket.on('error', () => {});
    socket.once('close', () => {
      leaving -= 1;
      clearTimeout(cut);
    });
    socket.end(rawProblem(code, [`Retry-After: ${retryAfterS}`]));
    // Closing a socket with unread bytes resets the connection, and the answer may be lost.
    socket.resume();
  }

  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const client = maxPerClient === 0 ? undefined : clients.ofConnection(socket);
    if (open >= max) return refuse(socket, 'overloaded');
    const giveBack = client === undefined ? () => {} : perClient.take(client);
    if (giveBack === undefined) return refuse(socket, 'rate_limited');
    open += 1;
    socket.once('close', () => {
      open -= 1;
      giveBack();
    });
    for (const listener of serve) listener.call(server, socket);
  });
}
