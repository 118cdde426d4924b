import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Passes an upgrade through to the first instance that accepts the connection. */
export function tunnel(
  incoming: IncomingMessage,
  client: Duplex,
  head: Buffer,
  candidates: readonly URL[],
): void {
  client.on('error', () => client.destroy());
  const [target, ...others] = candidates;
  if (target === undefined) {
    client.end(
      'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n',
    );
    return;
  }
  const upstream = connect({ host: target.hostname, port: Number(target.port), noDelay: true });
  const next = () => tunnel(incoming, client, head, others);
  upstream.once('error', next);
  upstream.once('connect', () => {
    upstream.off('error', next);
    upstream.write(handshake(incoming), 'latin1');
    if (head.length > 0) upstream.write(head);
    join(client, upstream);
  });
}

/** Connects both sockets; if one closes, the other closes too. */
function join(client: Duplex, upstream: Socket): void {
  (client as Socket).setNoDelay?.(true);
  client.pipe(upstream).pipe(client);
  for (const [side, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    side.on('error', () => other.destroy());
    side.on('close', () => other.destroy());
  }
}

function handshake({ method, url, httpVersion, rawHeaders, socket }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`);
  }
  lines.push(`X-Forwarded-For: ${socket.remoteAddress ?? 'unknown'}`, 'X-Forwarded-Proto: http');
  return `${lines.join('\r\n')}\r\n\r\n`;
}
