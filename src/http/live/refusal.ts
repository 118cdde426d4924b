import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ErrorCode, type ErrorKind, errorKind } from '../../domain/errors.ts';
import { problemContentType, problemView } from '../problem.ts';

/** Answers an upgrade with a problem and ends its connection, whether or not the other side reads it. */
export function refuse(socket: Duplex, code: ErrorCode): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, retryAfterS }: ErrorKind = errorKind(code);
  const body = JSON.stringify(problemView(code));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${problemContentType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'Connection: close',
    ...(retryAfterS === undefined ? [] : [`Retry-After: ${retryAfterS}`]),
    ...(status === 400 ? ['Sec-WebSocket-Version: 13, 8'] : []),
  ];
  socket.once('finish', () => socket.destroy());
  socket.end([...head, '', body].join('\r\n'));
}
