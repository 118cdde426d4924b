import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { resetSocket } from './reset-socket.ts';

export interface ForwarderOptions {
  /** The port of the loopback to connect to. */
  readonly targetPort: number;
  /** Whether one side may end while the other side still sends; default false. */
  readonly allowHalfOpen?: boolean;
  /** Called for each new client. The function calls `open` and passes on the bytes. */
  readonly onConnection: (connection: ForwardedConnection) => void;
}

/** Forwards a free port of the loopback to another port. Disposing the forwarder ends all connections. */
export interface Forwarder extends AsyncDisposable {
  readonly port: number;
  readonly connections: ReadonlySet<ForwardedConnection>;
  /** Connects further clients to another port. */
  retarget(port: number): void;
}

export async function startForwarder(options: ForwarderOptions): Promise<Forwarder> {
  const { allowHalfOpen = false, onConnection } = options;
  let { targetPort } = options;
  const connections = new Set<ForwardedConnection>();
  const server = createServer({ allowHalfOpen, noDelay: true }, (near) => {
    const connection = new ForwardedConnection(near, targetPort, allowHalfOpen);
    connections.add(connection);
    near.once('close', () => connections.delete(connection));
    onConnection(connection);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    retarget(port) {
      targetPort = port;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const connection of connections) connection.end();
      await closed;
    },
  };
}

/** A client's connection and the connection to the target. When one closes, the other closes too. */
export class ForwardedConnection {
  readonly near: Socket;
  readonly #targetPort: number;
  readonly #allowHalfOpen: boolean;
  #far: Socket | undefined;

  constructor(near: Socket, targetPort: number, allowHalfOpen: boolean) {
    this.near = near;
    this.#targetPort = targetPort;
    this.#allowHalfOpen = allowHalfOpen;
    near.on('error', () => this.end()).on('close', () => this.#far?.destroy());
  }

  /** Connects to the target. */
  open(): Socket {
    const far = connect({
      port: this.#targetPort,
      host: '127.0.0.1',
      noDelay: true,
      allowHalfOpen: this.#allowHalfOpen,
    });
    far.on('error', () => this.end()).on('close', () => this.near.destroy());
    this.#far = far;
    return far;
  }

  get isOpen(): boolean {
    return this.#far !== undefined;
  }

  /** Resets both sides. */
  end(): void {
    resetSocket(this.near);
    if (this.#far !== undefined) resetSocket(this.#far);
  }
}
