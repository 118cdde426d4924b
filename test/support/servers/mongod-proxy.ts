import type { Socket } from 'node:net';
import { startForwarder } from '../forwarder.ts';

/**
 * The fate of a request. The request passes, or the connection breaks before the request arrives, or the connection
 * breaks after the server has executed the request, so that the client gets no reply.
 */
export type Fate = 'pass' | 'cut' | 'cut the reply';

/** The network in front of one mongod. The proxy parses the messages that it forwards. */
export interface MongodProxy extends AsyncDisposable {
  readonly port: number;
  /**
   * Sets the function that decides the fate of every request from now on. It gets the request's command (`insert`,
   * `commitTransaction`, …).
   */
  decide(fate: (command: string) => Fate): void;
  /** Sets the function that changes every reply from now on, in place. */
  rewrite(change: (reply: Buffer) => void): void;
}

const headerBytes = 16;
const opMsg = 2013;

export async function mongodProxy(target: number): Promise<MongodProxy> {
  let fateOf: (command: string) => Fate = () => 'pass';
  let change: (reply: Buffer) => void = () => {};
  const forwarder = await startForwarder({
    targetPort: target,
    onConnection(connection) {
      const { near } = connection;
      const far = connection.open();
      let endsWithReply = false;
      onMessage(near, (request) => {
        const fate = fateOf(commandOf(request));
        if (fate === 'cut') return connection.end();
        endsWithReply ||= fate === 'cut the reply';
        far.write(request);
      });
      onMessage(far, (reply) => {
        if (endsWithReply) return connection.end();
        change(reply);
        near.write(reply);
      });
    },
  });
  return {
    port: forwarder.port,
    decide(fate) {
      fateOf = fate;
    },
    rewrite(rewriting) {
      change = rewriting;
    },
    [Symbol.asyncDispose]: () => forwarder[Symbol.asyncDispose](),
  };
}

/** Calls `handle` for each message, which begins with its length (https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/). */
function onMessage(socket: Socket, handle: (message: Buffer) => void): void {
  let held: Buffer = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    held = Buffer.concat([held, bytes]);
    while (held.length >= headerBytes) {
      const length = held.readInt32LE(0);
      if (held.length < length) return;
      const message = Buffer.from(held.subarray(0, length));
      held = held.subarray(length);
      handle(message);
    }
  });
}

/** The name of the first field of an OP_MSG's body; empty for the legacy handshake. */
function commandOf(message: Buffer): string {
  if (message.readInt32LE(12) !== opMsg) return '';
  const flagsSectionAndLength = 4 + 1 + 4;
  const name = headerBytes + flagsSectionAndLength + 1;
  return message.toString('latin1', name, message.indexOf(0, name));
}
