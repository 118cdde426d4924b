import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '../../domain/errors.ts';
import type { ClientResolver } from '../../rate-limits/client-address.ts';
import { ConcurrencyLimit } from '../../rate-limits/concurrency-limit.ts';
import { rawProblem } from '../problem.ts';

export interface ConnectionLimits {
  /** Of everybody together. */
  readonly max: number;
  /** Of one client; 0: any number. */
  readonly maxPerClient: number;
  readonly clients: Pick<ClientResolver, 'ofConnection'>;
}

/** One of the connections has to end first: nobody knows when. */
const retryAfterS = 10;
/** How long who is turned away may take to hear why. */
const refusalTimeoutMs = 1_000;
/** So many are told at a time; the others are cut without a word: whoever opens thousands does not read. */
const refusalsMax = 256;

/**
 * Turns connections away beyond what the server (503), or one client (429), may have open, before anything of them
 * is read. Trusted proxies are no clients: theirs only count among all. To be called before the server listens.
 */
export function limitConnections(server: Server, { max, maxPerClient, clients }: ConnectionLimits): void {
  const perClient = new ConcurrencyLimit(maxPerClient);
  const serve = server.listeners('connection');
  let open = 0;
  let leaving = 0;

  function turnAway(socket: Socket, code: ErrorCode): void {
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
    // To end over bytes that nobody has read resets a connection, and the answer may be lost with it.
    socket.resume();
  }

  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const client = maxPerClient === 0 ? undefined : clients.ofConnection(socket);
    if (open >= max) return turnAway(socket, 'overloaded');
    const giveBack = client === undefined ? () => {} : perClient.take(client);
    if (giveBack === undefined) return turnAway(socket, 'rate_limited');
    open += 1;
    socket.once('close', () => {
      open -= 1;
      giveBack();
    });
    for (const listener of serve) listener.call(server, socket);
  });
}
