import type { Server } from 'node:http';
import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import type { HttpSettings } from './app-services.ts';
import { ProblemError } from './problem.ts';

export interface PageSecurityOptions {
  /** For a page of somebody else's making that writes styles; its scripts are held to the policy all the same. */
  readonly inlineStyles?: boolean;
}

/**
 * Headers of pages and assets. Nothing but our own files may run, load or be called; nobody may frame us.
 * The referrer stays inside: a link to an order carries its proof.
 */
export function pageSecurity({ inlineStyles = false }: PageSecurityOptions = {}): MiddlewareHandler {
  const self = ["'self'"];
  const none = ["'none'"];
  const headers = secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: none,
      scriptSrc: self,
      styleSrc: inlineStyles ? [...self, "'unsafe-inline'"] : self,
      imgSrc: ["'self'", 'data:'],
      // A socket to our own host is 'self' too (CSP 3).
      connectSrc: self,
      manifestSrc: self,
      formAction: self,
      baseUri: none,
      frameAncestors: none,
    },
    // Not `no-referrer`: with that, browsers send `Origin: null` with our own forms.
    referrerPolicy: 'same-origin',
    // Where there is TLS, every answer asks for it: see transport-security.ts.
    strictTransportSecurity: false,
    xFrameOptions: 'DENY',
    xXssProtection: false,
    xDownloadOptions: false,
    xDnsPrefetchControl: false,
    permissionsPolicy: { camera: [], microphone: [], geolocation: [], payment: [] },
  });
  return async (c, next) => {
    await headers(c, next);
    // What is shown, and where one is sent, is between the server and one person.
    if (!c.res.headers.has('cache-control')) c.res.headers.set('Cache-Control', 'no-store');
  };
}

/** What tells where a request was started. */
export interface RequestSource {
  /** The `Host` that was asked. */
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** `Sec-Fetch-Site`: sent by browsers over https and to localhost. */
  readonly site: string | undefined;
}

/**
 * Whether a request was started by our own pages, or by no page at all (a program, which has nobody's cookies).
 * Every browser in use sends `Origin` with a form's POST and with a socket's handshake.
 */
export function isOwnOrigin({ host, origin, site }: RequestSource, publicOrigin?: string): boolean {
  if (origin !== undefined && origin === publicOrigin) return true;
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}

/** Refuses forms of other sites: 403 `cross_site`. For pages' POSTs; the API takes no cookies and needs none. */
export function sameOriginOnly({ publicOrigin }: Pick<HttpSettings, 'publicOrigin'>): MiddlewareHandler {
  return async (c, next) => {
    const isRead = c.req.method === 'GET' || c.req.method === 'HEAD' || c.req.method === 'OPTIONS';
    const source = {
      host: c.req.header('host') ?? new URL(c.req.url).host,
      origin: c.req.header('origin'),
      site: c.req.header('sec-fetch-site'),
    };
    if (!isRead && !isOwnOrigin(source, publicOrigin)) throw new ProblemError('cross_site');
    await next();
  };
}

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
