import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import type { HttpSettings } from './app-services.ts';
import { isSafeMethod } from './methods.ts';
import { ProblemError } from './problem.ts';

interface PageSecurityOptions {
  /** Whether to allow inline styles, for third-party pages that write them. Scripts stay restricted. Default: false. */
  readonly inlineStyles?: boolean;
}

/**
 * Sets the security headers of pages. Only files and requests of this origin are allowed, and no framing. Referrers are
 * not sent to other sites, because an order's link contains its signature.
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
      // Includes WebSockets to our own host (CSP 3).
      connectSrc: self,
      manifestSrc: self,
      formAction: self,
      baseUri: none,
      frameAncestors: none,
    },
    // With `no-referrer`, browsers would send `Origin: null` with our own forms.
    referrerPolicy: 'same-origin',
    // Not set here, because `sendHsts` in server/server.ts sets this header for every answer of the server.
    strictTransportSecurity: false,
    xFrameOptions: 'DENY',
    xXssProtection: false,
    xDownloadOptions: false,
    xDnsPrefetchControl: false,
    permissionsPolicy: { camera: [], microphone: [], geolocation: [], payment: [] },
  });
  return async (c, next) => {
    await headers(c, next);
    // Pages and redirects are personal, so nobody may cache them.
    if (!c.res.headers.has('cache-control')) c.res.headers.set('Cache-Control', 'no-store');
  };
}

/** The headers that tell which site started a request. */
interface RequestSource {
  /** `Host` of the request. */
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** `Sec-Fetch-Site`. Browsers send it over https and to localhost. */
  readonly site: string | undefined;
}

/**
 * Whether our own pages started a request, or a program that is no browser and so has no customer's cookies. All
 * current browsers send `Origin` with form POSTs and WebSocket handshakes.
 */
export function isOwnOrigin({ host, origin, site }: RequestSource, publicOrigin?: string): boolean {
  if (origin !== undefined && origin === publicOrigin) return true;
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}

/** Refuses POSTs from other sites with 403 `cross_site`. For pages only: the API uses no cookies. */
export function sameOriginOnly({ publicOrigin }: Pick<HttpSettings, 'publicOrigin'>): MiddlewareHandler {
  return async (c, next) => {
    const source = {
      host: c.req.header('host') ?? new URL(c.req.url).host,
      origin: c.req.header('origin'),
      site: c.req.header('sec-fetch-site'),
    };
    if (!isSafeMethod(c.req.method) && !isOwnOrigin(source, publicOrigin))
      throw new ProblemError('cross_site');
    await next();
  };
}

/**
 * Whether customers reach the server over TLS. Only the public origin can tell, because a proxy usually ends TLS before
 * this server.
 */
export function isBehindTls({ publicOrigin }: Pick<HttpSettings, 'publicOrigin'>): boolean {
  return publicOrigin?.startsWith('https:') === true;
}

/** The name and attributes of a cookie. */
export interface CookieFormat {
  readonly name: string;
  readonly attributes: { readonly path: '/'; readonly httpOnly: true; readonly secure: boolean };
}

/**
 * Cookies are hidden from scripts. Behind TLS they are also `Secure` and have the prefix `__Host-`, so that browsers
 * accept them only from this host, not from related domains (RFC 6265bis, section 4.1.3.2).
 */
export function cookieFormat(name: string, settings: Pick<HttpSettings, 'publicOrigin'>): CookieFormat {
  const secure = isBehindTls(settings);
  return { name: secure ? `__Host-${name}` : name, attributes: { path: '/', httpOnly: true, secure } };
}

/** Signs a text with 128 bits of HMAC-SHA256. Each kind of text needs its own prefix. */
export function sign(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest().subarray(0, 16).toString('base64url');
}

/** Whether two texts are equal. The comparison takes the same time for any two texts. */
export function isSameText(a: string, b: string): boolean {
  const digest = (text: string) => hash('sha256', text, 'buffer');
  return timingSafeEqual(digest(a), digest(b));
}
