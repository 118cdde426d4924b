import type { Socket } from 'node:net';
import { startForwarder } from './forwarder.ts';

/** The network between a browser and a server, with faults. */
export interface BreakableNetwork {
  /** The server's origin as the browser must use it. */
  readonly origin: string;
  /** Ends every connection and refuses new ones. */
  cut(): void;
  /** Keeps connections open, but passes on no bytes. Neither side notices. */
  swallow(): void;
  /** Refuses WebSockets; other requests pass. */
  refuseSockets(): void;
  /** Lets new connections work again. Connections that were swallowed stay silent. */
  mend(): void;
  /** Connects new connections to another server. */
  leadTo(target: string): void;
  close(): Promise<void>;
}

/** Forwards a free port of the loopback to a server. */
export async function breakableNetwork(target: string): Promise<BreakableNetwork> {
  let state: 'healthy' | 'cut' | 'swallowing' | 'refusing sockets' = 'healthy';
  const sockets = new Set<Socket>();
  const forwarder = await startForwarder({
    targetPort: portOf(target),
    onConnection(connection) {
      if (state === 'cut') return connection.end();
      const { near } = connection;
      const far = connection.open();
      near.on('data', (bytes) => {
        if (state === 'refusing sockets' && /^upgrade: websocket/im.test(bytes.toString('latin1')))
          connection.end();
        else far.write(bytes);
      });
      far.on('data', (bytes) => near.write(bytes));
      for (const side of [near, far]) {
        sockets.add(side);
        side.once('close', () => sockets.delete(side));
        if (state === 'swallowing') silence(side);
      }
    },
  });
  const endAll = () => {
    for (const connection of forwarder.connections) connection.end();
  };
  return {
    origin: `http://127.0.0.1:${forwarder.port}`,
    cut() {
      state = 'cut';
      endAll();
    },
    swallow() {
      state = 'swallowing';
      for (const side of sockets) silence(side);
    },
    refuseSockets() {
      state = 'refusing sockets';
      endAll();
    },
    mend() {
      state = 'healthy';
    },
    leadTo(other) {
      forwarder.retarget(portOf(other));
    },
    async close() {
      await forwarder[Symbol.asyncDispose]();
    },
  };
}

function silence(side: Socket): void {
  side.removeAllListeners('data').resume();
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
