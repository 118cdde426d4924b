import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type HttpLimits, rateItem, secondsUntil } from '../rate-limits/limits.ts';
import { refuse } from './refusal.ts';

export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Where a client has as many sockets as it may, one of them has to be closed first: nobody knows when. */
const occupiedRetryS = 10;

/**
 * Lets upgrades through as often, and as many at a time, as a client may have them; the others get 429. Whatever
 * becomes of an attempt, it counts: also who asks for orders that do not exist.
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
