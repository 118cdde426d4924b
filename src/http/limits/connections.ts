import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Clients } from './client-of.ts';
import { Occupancy } from './occupancy.ts';

export interface ConnectionLimits {
  /** Of everybody together. */
  readonly max: number;
  /** Of one client; 0: any number. */
  readonly maxPerClient: number;
  readonly clients: Pick<Clients, 'ofConnection'>;
}

/**
 * Cuts connections beyond what the server, or one client, may have open. Trusted proxies are no clients: theirs only
 * count among all. Nothing is answered: whoever holds thousands of connections does not read.
 */
export function limitConnections(server: Server, { max, maxPerClient, clients }: ConnectionLimits): void {
  const perClient = new Occupancy(maxPerClient);
  let open = 0;
  server.on('connection', (socket: Socket) => {
    const client = maxPerClient === 0 ? undefined : clients.ofConnection(socket);
    const giveBack = client === undefined ? () => {} : perClient.take(client);
    if (open >= max || giveBack === undefined) {
      giveBack?.();
      socket.destroy();
      return;
    }
    open += 1;
    socket.once('close', () => {
      open -= 1;
      giveBack();
    });
  });
}
