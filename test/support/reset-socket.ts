import type { Socket } from 'node:net';

/**
 * Ends a connection at once, with a reset where the other side has not been told of an end. A socket whose end is
 * under way must not be reset: Node 24 would never close it, and the process would not exit.
 */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
