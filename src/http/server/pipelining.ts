import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestListener } from '../telemetry/observe-requests.ts';

/** Requests that may wait behind the current one. Browsers pipeline none, and other clients rarely do. */
const waitingMax = 16;
/**
 * A connection with this many waiting requests is closed. One packet of 64 KiB can hold 2,000 requests, and each uses
 * memory.
 */
const floodMin = 32;

/** The requests of a connection behind its current one. */
interface Waiting {
  count: number;
  /** The last request that will be served has arrived; its answer closes the connection. */
  isFull: boolean;
}

/**
 * Serves pipelined requests one after the other, up to {@link waitingMax}. The answer to the last request closes the
 * connection, which tells the client that later requests were not processed (RFC 9112, section 9.6).
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
    // Only the current request has the socket. Nearly all requests are current when they arrive, and such requests are
    // not counted.
    const isNext = outgoing.socket !== null;
    if (isNext && !connections.has(incoming.socket)) return listener(incoming, outgoing);
    const waiting = waitingAt(incoming.socket);
    if (!isNext) waiting.count += 1;
    if (waiting.count >= floodMin) close(incoming.socket);
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
 * Closes a connection and stops Node's parser. Otherwise the parser would create a request for everything left in the
 * packet, and thousands of packets can arrive within one turn of the event loop.
 */
function close(socket: Socket & { parser?: { pause?: () => void } | null }): void {
  if (socket.destroyed) return;
  socket.parser?.pause?.();
  socket.destroy();
}
