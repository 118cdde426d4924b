import type { Server } from 'node:http';

/** Browsers that have seen it once come back over TLS alone, for a year (RFC 6797). */
const strict = 'max-age=31536000';

/** Where the public origin is https, every answer of the app says that it stays so. */
export function insistOnTls(server: Server, publicOrigin: string | undefined): void {
  if (!publicOrigin?.startsWith('https:')) return;
  server.prependListener('request', (_request, response) => {
    response.setHeader('Strict-Transport-Security', strict);
  });
}
