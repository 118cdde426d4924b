import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestListener } from '../telemetry/observe-requests.ts';

/** Requests that may wait behind one: no browser sends any before the last is answered, and hardly any program. */
const waitingMax = 16;
/** Who sends so many is cut: a packet of 64 KiB holds two thousand, which would all be kept. */
const floodMin = 32;

/** The requests of a connection behind the one whose turn it is. */
interface Waiting {
  count: number;
  /** The last that is served has come: its answer ends the connection. */
  isFull: boolean;
}

/**
 * Serves a few requests that are sent before the first of them is answered, each when those before it are. The answer to
 * the last of these says that the connection ends, by which a client knows that what it has sent after it was not looked
 * at (RFC 9112, section 9.6).
 */
export function limitPipelining(listener: RequestListener): RequestListener {
  const connections = new WeakMap<Socket, Waiting>();

  function waitingAt(socket: Socket): Waiting {
    let waiting = connections.get(socket);
    if (waiting === undefined) {
      waiting = { count: 0, isFull: false };
      connections.set(socket, waiting);
    }
    return waiting;
  }

  return (incoming: IncomingMessage, outgoing: ServerResponse) => {
    // The one whose turn it is has the connection: nearly always, so that nearly nobody is counted.
    const isNext = outgoing.socket !== null;
    if (isNext && !connections.has(incoming.socket)) return listener(incoming, outgoing);
    const waiting = waitingAt(incoming.socket);
    if (!isNext) waiting.count += 1;
    if (waiting.count >= floodMin) cut(incoming.socket);
    if (waiting.isFull || incoming.socket.destroyed) return undefined;
    if (waiting.count >= waitingMax) {
      waiting.isFull = true;
      outgoing.shouldKeepAlive = false;
    }
    if (isNext) return listener(incoming, outgoing);
    return outgoing.once('socket', () => {
      waiting.count -= 1;
      if (!incoming.socket.destroyed) void listener(incoming, outgoing);
    });
  };
}

/**
 * Ends a connection and has Node's parser leave the rest of the packet unread: it would go on to make a request of
 * each, and of a thousand such packets in one turn of the event loop.
 */
function cut(socket: Socket & { parser?: { pause?: () => void } | null }): void {
  if (socket.destroyed) return;
  socket.parser?.pause?.();
  socket.destroy();
}
