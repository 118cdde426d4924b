import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A stretch of network between a browser and a server that a test may break. */
export interface BreakableNetwork {
  /** Where the server is reached through it. */
  readonly origin: string;
  /** Ends every connection and takes no new one. */
  cut(): void;
  /** Connections stay, but nothing gets through any more, and nobody is told. */
  swallow(): void;
  /** WebSockets are refused, plain requests pass. */
  refuseSockets(): void;
  /** New connections pass again; those that were swallowed stay dead. */
  mend(): void;
  /** New connections lead to another server. */
  leadTo(target: string): void;
  close(): Promise<void>;
}

type State = 'whole' | 'cut' | 'swallowing' | 'refusing sockets';

/** Starts to forward a free port of the loopback to a server's. */
export async function breakableNetwork(target: string): Promise<BreakableNetwork> {
  let port = Number(new URL(target).port);
  const wires = new Set<[Socket, Socket]>();
  let state: State = 'whole';

  const gate = createServer((near) => {
    if (state === 'cut') {
      near.destroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    const wire: [Socket, Socket] = [near, far];
    wires.add(wire);
    const end = () => {
      near.destroy();
      far.destroy();
      wires.delete(wire);
    };
    for (const side of wire) side.on('error', end).on('close', end);
    near.on('data', (bytes) => {
      if (state === 'refusing sockets' && /^upgrade: websocket/im.test(bytes.toString('latin1'))) end();
      else far.write(bytes);
    });
    far.on('data', (bytes) => near.write(bytes));
    if (state === 'swallowing') deafen(wire);
  });

  function deafen(wire: [Socket, Socket]): void {
    for (const side of wire) side.removeAllListeners('data').resume();
  }

  function endAll(): void {
    for (const [near, far] of wires) {
      near.destroy();
      far.destroy();
    }
  }

  gate.listen(0, '127.0.0.1');
  await once(gate, 'listening');
  return {
    origin: `http://127.0.0.1:${(gate.address() as AddressInfo).port}`,
    cut() {
      state = 'cut';
      endAll();
    },
    swallow() {
      state = 'swallowing';
      for (const wire of wires) deafen(wire);
    },
    refuseSockets() {
      state = 'refusing sockets';
      endAll();
    },
    mend() {
      state = 'whole';
    },
    leadTo(other) {
      port = Number(new URL(other).port);
    },
    async close() {
      const closed = once(gate, 'close');
      gate.close();
      endAll();
      await closed;
    },
  };
}
