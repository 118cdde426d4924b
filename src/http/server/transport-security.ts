import type { Server } from 'node:http';
import type { HttpSettings } from '../settings.ts';

/** Browsers that have seen it once come back over TLS alone, to the hosts below ours too, for a year (RFC 6797). */
const strict = 'max-age=31536000; includeSubDomains';

/** TLS ends in front of us, whatever name and protocol a proxy asks us by: only the public origin tells. */
export function isBehindTls({ publicOrigin }: Pick<HttpSettings, 'publicOrigin'>): boolean {
  return publicOrigin?.startsWith('https:') === true;
}

/** Where the public origin is https, every answer of the app says that it stays so. */
export function sendHsts(server: Server, publicOrigin: string | undefined): void {
  if (publicOrigin === undefined || !isBehindTls({ publicOrigin })) return;
  server.prependListener('request', (_request, response) => {
    response.setHeader('Strict-Transport-Security', strict);
  });
}
