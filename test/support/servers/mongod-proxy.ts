import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * What becomes of a request: it passes, the connection breaks before it arrives, or the connection breaks once the
 * server has answered, so that it was done and nobody hears of it.
 */
export type Fate = 'pass' | 'cut' | 'cut the reply';

/** A stretch of network in front of one mongod, which understands what it carries. */
export interface MongodProxy extends AsyncDisposable {
  readonly port: number;
  /** Decides about every request from here on, by its command (`insert`, `commitTransaction`, …). */
  decide(fate: (command: string) => Fate): void;
  /** Changes every reply from here on, in place. */
  rewrite(change: (reply: Buffer) => void): void;
}

const headerBytes = 16;
const opMsg = 2013;

export async function mongodProxy(target: number): Promise<MongodProxy> {
  let fateOf: (command: string) => Fate = () => 'pass';
  let change: (reply: Buffer) => void = () => {};
  const ends = new Set<() => void>();

  const gate = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    const end = () => {
      near.destroy();
      far.destroy();
      ends.delete(end);
    };
    ends.add(end);
    for (const side of [near, far]) side.on('error', end).on('close', end);
    let endsWithReply = false;
    onMessage(near, (request) => {
      const fate = fateOf(commandOf(request));
      if (fate === 'cut') return end();
      endsWithReply ||= fate === 'cut the reply';
      far.write(request);
    });
    onMessage(far, (reply) => {
      if (endsWithReply) return end();
      change(reply);
      near.write(reply);
    });
  }).listen(0, '127.0.0.1');
  await once(gate, 'listening');

  return {
    port: (gate.address() as AddressInfo).port,
    decide(fate) {
      fateOf = fate;
    },
    rewrite(rewriting) {
      change = rewriting;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(gate, 'close');
      gate.close();
      for (const end of ends) end();
      await closed;
    },
  };
}

/** https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/: a message begins with its length. */
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
