import type { Socket } from 'node:net';

/**
 * Ends a connection at once. Sends a reset unless the socket has already told the other side of its end. A socket that
 * is ending must not be reset: Node 24 would never close it, and the process would not exit.
 */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
