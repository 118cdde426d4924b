import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { generateCookie, generateSignedCookie } from 'hono/cookie';
import { parseSigned } from 'hono/utils/cookie';
import type { HttpSettings, OperatorAuth } from '../http/app-services.ts';
import { ProblemError } from '../http/problem.ts';
import { type CookieFormat, cookieFormat, isOwnOrigin } from '../http/security.ts';
import type { Clock } from '../lib/clock.ts';
import { defined } from '../lib/defined.ts';
import type { Random } from '../lib/random.ts';
import type { Log } from '../observability/log.ts';
import type { IncomingRequest } from '../rate-limits/rate-limits.ts';
import type { Operator } from '../storage/operator-log.ts';
import { StoreUnavailableError } from '../storage/store.ts';
import type { AdminService, Public } from './admin-service.ts';
import { FailedGuesses } from './failed-guesses.ts';

export interface AdminAuthOptions {
  readonly sessions: AdminService['sessions'];
  /** `ADMIN_TOKEN` */
  readonly token: string;
  readonly settings: Pick<HttpSettings, 'secret' | 'publicOrigin'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Names the client of a request. Wrong tokens are counted for each client. */
  readonly clientOf: (sender: IncomingRequest) => string;
}

/** Everything that the HTTP server needs to serve the admin pages and the admin API. */
export interface HttpAdmin {
  readonly service: AdminService;
  readonly auth: Public<AdminAuth>;
}

const sessionMs = 8 * 60 * 60 * 1_000;
const bearer = /^bearer +(?<token>\S+) *$/i;
const name = 'admin';

/**
 * Authenticates operators by the one admin token. Programs send the token with each request. People send it once, to
 * begin a session of eight hours. The session's cookie is signed with a key that depends on the token, so a new token
 * ends every session.
 */
export class AdminAuth implements OperatorAuth {
  readonly #options: AdminAuthOptions;
  readonly #digest: Buffer;
  readonly #cookieSecret: string;
  readonly #cookie: CookieFormat;
  readonly #guesses: FailedGuesses;

  constructor(options: AdminAuthOptions) {
    const { token, settings, clock } = options;
    this.#options = options;
    this.#digest = digestOf(token);
    const key = createHmac('sha256', settings.secret).update('admin-session:').update(this.#digest);
    this.#cookieSecret = key.digest('base64url');
    this.#cookie = cookieFormat('admin_session', settings);
    this.#guesses = new FailedGuesses({ clock });
  }

  async identify(request: Request, sender: IncomingRequest | undefined): Promise<Operator> {
    const authorization = request.headers.get('authorization');
    if (authorization !== null) {
      const address = this.#addressOf(sender);
      this.#checkToken(bearer.exec(authorization)?.groups?.token ?? '', address);
      return { name, via: 'token', ...defined({ address }) };
    }
    const operator = await this.operator(request.headers.get('cookie') ?? undefined, sender);
    if (operator === undefined) throw unauthorized();
    this.#refuseOtherSites(request);
    return operator;
  }

  /**
   * Begins a session. The browser's former session is revoked. Returns the `Set-Cookie` header.
   * @throws ProblemError 401 for a wrong token, 429 after too many of them, 503 if the session cannot be logged.
   */
  async logIn(
    token: string,
    cookies: string | undefined,
    sender: IncomingRequest | undefined,
  ): Promise<string> {
    const { sessions, clock, random } = this.#options;
    const address = this.#addressOf(sender);
    this.#checkToken(token, address);
    const former = await this.operator(cookies, sender);
    if (former !== undefined) await this.#revoke(former);
    const session = Buffer.from(random.bytes(16)).toString('base64url');
    const started = await sessions.started({ name, via: 'session', session, ...defined({ address }) });
    if (started.kind === 'refused') throw new ProblemError(started.code);
    return generateSignedCookie(this.#cookie.name, `${session}.${clock.now()}`, this.#cookieSecret, {
      ...this.#cookie.attributes,
      sameSite: 'Strict',
      maxAge: sessionMs / 1_000,
    });
  }

  /**
   * The operator whose session is in a `Cookie` header; undefined if the header has no valid session.
   * @throws StoreUnavailableError if the cookie is valid and the store cannot say whether its session was revoked.
   */
  async operator(cookies: string | undefined, sender?: IncomingRequest): Promise<Operator | undefined> {
    const { name: cookieName } = this.#cookie;
    const value = cookies && (await parseSigned(cookies, this.#cookieSecret, cookieName))[cookieName];
    const { session, at } = /^(?<session>[\w-]{22})\.(?<at>\d{1,15})$/.exec(value || '')?.groups ?? {};
    if (session === undefined || this.#options.clock.now() - Number(at) >= sessionMs) return undefined;
    if (await this.#options.sessions.isRevoked(session)) return undefined;
    return { name, via: 'session', session, ...defined({ address: this.#addressOf(sender) }) };
  }

  /**
   * Ends the operator's session. Returns the `Set-Cookie` header.
   * @throws ProblemError 503 if the session cannot be revoked now.
   */
  async logOut(by: Operator): Promise<string> {
    await this.#revoke(by);
    return generateCookie(this.#cookie.name, '', { ...this.#cookie.attributes, maxAge: 0 });
  }

  async #revoke(by: Operator): Promise<void> {
    const revoked = await this.#options.sessions.revoke(by);
    if (revoked.kind === 'refused') throw new ProblemError(revoked.code);
  }

  /**
   * Refuses a wrong token. After too many of them from one client, refuses every token of that client for a while.
   * @throws ProblemError
   */
  #checkToken(token: string, address = ''): void {
    const waitS = this.#guesses.waitS(address);
    if (waitS > 0) {
      const detail = `Too many wrong tokens came from this address. The next one is heard in ${waitS} s.`;
      throw new ProblemError('rate_limited', { retryAfterS: waitS, detail });
    }
    if (timingSafeEqual(digestOf(token), this.#digest)) return;
    this.#guesses.failed(address);
    this.#options.log.warn({ client: address }, 'a wrong admin token was given');
    throw unauthorized('The bearer token is not the one of the operators.');
  }

  #addressOf(sender: IncomingRequest | undefined): string | undefined {
    return sender && this.#options.clientOf(sender);
  }

  /** Refuses changes that another site's page requests, because a browser may add the session's cookie to them. */
  #refuseOtherSites({ method, headers, url }: Request): void {
    const isRead = method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
    const source = {
      host: headers.get('host') ?? new URL(url).host,
      origin: headers.get('origin') ?? undefined,
      site: headers.get('sec-fetch-site') ?? undefined,
    };
    const isOurs = source.site !== 'none' && isOwnOrigin(source, this.#options.settings.publicOrigin);
    if (!isRead && !isOurs) throw new ProblemError('cross_site');
  }
}

/**
 * Whether a browser may watch the overview. While the store is away, a valid cookie is enough, although the session may
 * have been revoked: operators need the overview most at that time.
 */
export async function mayWatch(
  auth: Pick<AdminAuth, 'operator'>,
  cookies: string | undefined,
): Promise<boolean> {
  try {
    return (await auth.operator(cookies)) !== undefined;
  } catch (error) {
    if (error instanceof StoreUnavailableError) return true;
    throw error;
  }
}

function unauthorized(
  detail = 'This is for operators: it takes the admin token, or a session.',
): ProblemError {
  return new ProblemError('unauthorized', {
    detail,
    headers: { 'WWW-Authenticate': 'Bearer realm="admin"' },
  });
}

/** Digests have the same length for every token, as timingSafeEqual demands. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
