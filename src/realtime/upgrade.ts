import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ErrorCode, type ErrorKind, errorKind } from '../domain/errors.ts';
import { rawProblem } from '../http/problem.ts';
import { type HttpLimits, rateItem, secondsUntil } from '../rate-limits/limits.ts';

/** Handles an upgrade request, as a listener to the `upgrade` event of a server. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** When a client with too many sockets may retry. The client must close one of its sockets first. */
const occupiedRetryS = 10;

/**
 * Applies a client's limits: how often it may open a socket, and how many sockets it may have open. Above a limit the
 * answer is 429. Every attempt counts, even if it is refused later, so that nobody can try order ids without limit.
 */
export function limitedUpgrade(limits: HttpLimits | undefined, admit: Upgrade): Upgrade {
  if (limits === undefined) return admit;
  return (request, socket, head) => {
    const decide = async () => {
      const verdict = await limits.socketOpening.take(request);
      if (socket.destroyed) return;
      if (!verdict.isAllowed) {
        const headers = [
          `RateLimit: ${rateItem(verdict)}`,
          `RateLimit-Policy: ${limits.socketOpening.policies}`,
        ];
        return refuse(socket, 'rate_limited', headers, secondsUntil(verdict.resetMs));
      }
      const giveBack = limits.sockets.take(limits.clientOf(request));
      if (giveBack === undefined) return refuse(socket, 'rate_limited', [], occupiedRetryS);
      socket.once('close', giveBack);
      admit(request, socket, head);
    };
    decide().catch(() => socket.destroy());
  };
}

/**
 * Answers an upgrade request with a problem and ends the connection, whether or not the client reads the answer.
 * @param moreHeaders one header line each.
 * @param retryAfterS default: the error catalogue's value.
 */
export function refuse(
  socket: Duplex,
  code: ErrorCode,
  moreHeaders: readonly string[] = [],
  retryAfterS?: number,
): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const kind: ErrorKind = errorKind(code);
  const waitS = retryAfterS ?? kind.retryAfterS;
  const headers = [...moreHeaders];
  if (waitS !== undefined) headers.unshift(`Retry-After: ${waitS}`);
  if (kind.status === 400) headers.push('Sec-WebSocket-Version: 13, 8');
  socket.once('finish', () => socket.destroy());
  socket.end(rawProblem(code, headers));
}
