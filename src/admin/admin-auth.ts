import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Context } from 'hono';
import { deleteCookie, setSignedCookie } from 'hono/cookie';
import { parseSigned } from 'hono/utils/cookie';
import type { ErrorCode } from '../domain/errors.ts';
import type { HttpSettings } from '../http/app-services.ts';
import { incomingRequest } from '../http/limits.ts';
import { ProblemError } from '../http/problem.ts';
import { type CookieFormat, cookieFormat, isOwnOrigin } from '../http/security.ts';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { Log } from '../observability/log.ts';
import type { IncomingRequest } from '../rate-limits/rate-limits.ts';
import type { Operator } from '../storage/operator-log.ts';
import { StoreUnavailableError } from '../storage/store.ts';
import type { AdminService } from './admin-service.ts';
import { FailedGuesses } from './failed-guesses.ts';
import type { AdminIdentity, AdminSessions, SignInRefusal } from './identity.ts';

export interface AdminAuthOptions {
  readonly service: Pick<AdminService, 'sessionStarted' | 'endSession' | 'isSessionEnded'>;
  /** `ADMIN_TOKEN` */
  readonly token: string;
  readonly settings: Pick<HttpSettings, 'secret' | 'publicOrigin'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** What the sender of a request is counted under. */
  readonly clientOf: (sender: IncomingRequest) => string;
}

const sessionMs = 8 * 60 * 60 * 1_000;
const bearer = /^bearer +(?<token>\S+) *$/i;
const name = 'admin';

/**
 * Operators prove themselves with the one token: programs with each request, people once, for a session of eight
 * hours. Its cookie is signed with a key that hangs on the token, so that a new token ends every session.
 */
export class AdminAuth implements AdminSessions, AdminIdentity {
  readonly #options: AdminAuthOptions;
  readonly #digest: Buffer;
  readonly #cookieSecret: string;
  readonly #cookie: CookieFormat;
  readonly #guesses: FailedGuesses;

  constructor(options: AdminAuthOptions) {
    const { token, settings, clock } = options;
    this.#options = options;
    this.#digest = digestOf(token);
    const hangsOnToken = createHmac('sha256', settings.secret).update('admin-session:').update(this.#digest);
    this.#cookieSecret = hangsOnToken.digest('base64url');
    this.#cookie = cookieFormat('admin_session', settings);
    this.#guesses = new FailedGuesses({ clock });
  }

  async identify(c: Context): Promise<Operator> {
    const authorization = c.req.header('authorization');
    const address = this.#addressOf(incomingRequest(c));
    if (authorization !== undefined) {
      const verdict = this.#judge(bearer.exec(authorization)?.groups?.token ?? '', address);
      if (verdict !== undefined) throw verdict;
      return { name, via: 'token', ...(address === undefined ? {} : { address }) };
    }
    const operator = await this.operator(c.req.header('cookie'), incomingRequest(c));
    if (operator === undefined) throw unauthorized();
    this.#refuseOtherSites(c);
    return operator;
  }

  async start(c: Context, token: string): Promise<SignInRefusal | undefined> {
    const { service, clock, random } = this.#options;
    const address = this.#addressOf(incomingRequest(c));
    const verdict = this.#judge(token, address);
    if (verdict !== undefined) {
      const { code, extra } = verdict;
      return { code, ...(extra.retryAfterS === undefined ? {} : { retryAfterS: extra.retryAfterS }) };
    }
    const refusal = await this.#endFormer(c);
    if (refusal !== undefined) return { code: refusal };
    const session = Buffer.from(random.bytes(16)).toString('base64url');
    const known = address === undefined ? {} : { address };
    const noted = await service.sessionStarted({ name, via: 'session', session, ...known });
    if (noted.kind === 'refused') return { code: noted.code };
    const { name: cookieName, attributes } = this.#cookie;
    await setSignedCookie(c, cookieName, `${session}.${clock.now()}`, this.#cookieSecret, {
      ...attributes,
      sameSite: 'Strict',
      maxAge: sessionMs / 1_000,
    });
    return undefined;
  }

  /** @throws StoreUnavailableError where it cannot be known whether the session was ended. */
  async operator(cookies: string | undefined, sender?: IncomingRequest): Promise<Operator | undefined> {
    const { name: cookieName } = this.#cookie;
    const value = cookies && (await parseSigned(cookies, this.#cookieSecret, cookieName))[cookieName];
    const { session, at } = /^(?<session>[\w-]{22})\.(?<at>\d{1,15})$/.exec(value || '')?.groups ?? {};
    if (session === undefined || this.#options.clock.now() - Number(at) >= sessionMs) return undefined;
    if (await this.#options.service.isSessionEnded(session)) return undefined;
    const address = this.#addressOf(sender);
    return { name, via: 'session', session, ...(address === undefined ? {} : { address }) };
  }

  /** @throws ProblemError 503 when it cannot be ended now: then its cookie stays. */
  async end(c: Context, by: Operator): Promise<void> {
    const ended = await this.#options.service.endSession(by);
    if (ended.kind === 'refused') throw new ProblemError(ended.code);
    deleteCookie(c, this.#cookie.name, this.#cookie.attributes);
  }

  /** Whoever proves it anew gets another session, and what the browser had is worth nothing any more. */
  async #endFormer(c: Context): Promise<ErrorCode | undefined> {
    try {
      const former = await this.operator(c.req.header('cookie'), incomingRequest(c));
      const left = former && (await this.#options.service.endSession(former));
      return left?.kind === 'refused' ? left.code : undefined;
    } catch (error) {
      if (error instanceof StoreUnavailableError) return 'store_unavailable';
      throw error;
    }
  }

  /** Undefined for the right token. A client that has guessed too often is not heard, whatever it brings. */
  #judge(token: string, address = ''): ProblemError | undefined {
    const waitS = this.#guesses.waitS(address);
    if (waitS > 0) {
      const detail = `Too many wrong tokens came from this address. The next one is heard in ${waitS} s.`;
      return new ProblemError('rate_limited', { retryAfterS: waitS, detail });
    }
    if (timingSafeEqual(digestOf(token), this.#digest)) return undefined;
    this.#guesses.failed(address);
    this.#options.log.warn({ client: address }, 'a wrong admin token was given');
    return unauthorized('The bearer token is not the one of the operators.');
  }

  #addressOf(sender: IncomingRequest | undefined): string | undefined {
    return sender && this.#options.clientOf(sender);
  }

  /** A browser sends our cookie along with whatever a page of ours asks for, and programs bring the token. */
  #refuseOtherSites(c: Context): void {
    const isRead = c.req.method === 'GET' || c.req.method === 'HEAD' || c.req.method === 'OPTIONS';
    const source = {
      host: c.req.header('host') ?? new URL(c.req.url).host,
      origin: c.req.header('origin'),
      site: c.req.header('sec-fetch-site'),
    };
    const isOurs = source.site !== 'none' && isOwnOrigin(source, this.#options.settings.publicOrigin);
    if (!isRead && !isOurs) throw new ProblemError('cross_site');
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

/** Digests have one length, whatever was guessed. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
