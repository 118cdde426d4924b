import type { Duplex } from 'node:stream';
import { type ErrorCode, type ErrorKind, errorKind } from '../../domain/errors.ts';
import { rawProblem } from '../raw-problem.ts';

/** Answers an upgrade with a problem and ends its connection, whether or not the other side reads it. */
export function refuse(socket: Duplex, code: ErrorCode): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, retryAfterS }: ErrorKind = errorKind(code);
  const headers = [
    'Cache-Control: no-store',
    ...(retryAfterS === undefined ? [] : [`Retry-After: ${retryAfterS}`]),
    ...(status === 400 ? ['Sec-WebSocket-Version: 13, 8'] : []),
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(rawProblem(code, headers));
}
