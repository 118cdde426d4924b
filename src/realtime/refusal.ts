import type { Duplex } from 'node:stream';
import { type ErrorCode, type ErrorKind, errorKind } from '../domain/errors.ts';
import { rawProblem } from '../http/problem.ts';

/**
 * Answers an upgrade with a problem and ends its connection, whether or not the other side reads it.
 * @param more headers, a line each.
 * @param retryAfterS where absent, the catalogue's figure.
 */
export function refuse(
  socket: Duplex,
  code: ErrorCode,
  more: readonly string[] = [],
  retryAfterS?: number,
): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, retryAfterS: usualS }: ErrorKind = errorKind(code);
  const waitS = retryAfterS ?? usualS;
  const headers = [
    ...(waitS === undefined ? [] : [`Retry-After: ${waitS}`]),
    ...more,
    ...(status === 400 ? ['Sec-WebSocket-Version: 13, 8'] : []),
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(rawProblem(code, headers));
}
