import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { generateCookie, generateSignedCookie } from 'hono/cookie';
import { parseSigned } from 'hono/utils/cookie';
import type { HttpSettings, OperatorAccess, OperatorAuth } from '../http/app-services.ts';
import { isSafeMethod } from '../http/methods.ts';
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

/** An operator's name, token and right. */
export interface OperatorToken {
  readonly name: string;
  readonly token: string;
  /** False for an operator who may only read. */
  readonly mayChange: boolean;
}

export interface AdminAuthOptions {
  readonly sessions: AdminService['sessions'];
  /** The operators of `ADMIN_TOKEN` and `ADMIN_TOKENS`. No two have the same name or token. */
  readonly operators: readonly OperatorToken[];
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

/** An operator, without the token itself. */
interface KnownOperator extends Omit<OperatorToken, 'token'> {
  readonly digest: Buffer;
  /** The key that signs the cookies of this operator's sessions. */
  readonly cookieSecret: string;
}

/** A session that a cookie proves. Whether it was revoked is a question of its own. */
interface SignedSession {
  readonly session: string;
  readonly access: OperatorAccess;
}

const sessionMs = 8 * 60 * 60 * 1_000;
const bearer = /^bearer +(?<token>\S+) *$/i;

/**
 * Authenticates operators, each by a token of its own. Programs send the token with each request. People send it once, to
 * begin a session of eight hours. The session's cookie is signed with a key that depends on the operator's token. So the
 * signature tells whose session it is, and a new token ends every session of its operator.
 */
export class AdminAuth implements OperatorAuth {
  readonly #options: AdminAuthOptions;
  readonly #operators: readonly KnownOperator[];
  readonly #cookie: CookieFormat;
  readonly #guesses: FailedGuesses;

  constructor(options: AdminAuthOptions) {
    const { operators, settings, clock } = options;
    this.#options = options;
    this.#operators = operators.map(({ token, ...operator }) => {
      const digest = digestOf(token);
      const key = createHmac('sha256', settings.secret).update('admin-session:').update(digest);
      return { ...operator, digest, cookieSecret: key.digest('base64url') };
    });
    this.#cookie = cookieFormat('admin_session', settings);
    this.#guesses = new FailedGuesses({ clock });
  }

  async identify(request: Request, sender: IncomingRequest | undefined): Promise<OperatorAccess> {
    const authorization = request.headers.get('authorization');
    if (authorization !== null) {
      const address = this.#addressOf(sender);
      const token = bearer.exec(authorization)?.groups?.token ?? '';
      const { name, mayChange } = this.#checkToken(token, address);
      return { operator: { name, via: 'token', ...defined({ address }) }, mayChange };
    }
    const access = await this.access(request.headers.get('cookie') ?? undefined, sender);
    if (access === undefined) throw unauthorized();
    this.#refuseOtherSites(request);
    return access;
  }

  /**
   * Refuses a change by an operator who may only read.
   * @throws ProblemError 403
   */
  requireChange({ operator, mayChange }: OperatorAccess): void {
    if (mayChange) return;
    const fields = { operator: operator.name, client: operator.address };
    this.#options.log.warn(fields, 'an operator who may only read has asked for a change');
    throw new ProblemError('read_only', { detail: `The token of ${operator.name} is for reading.` });
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
    const { name, cookieSecret } = this.#checkToken(token, address);
    const former = await this.access(cookies, sender);
    if (former !== undefined) await this.#revoke(former.operator);
    const session = Buffer.from(random.bytes(16)).toString('base64url');
    const started = await sessions.started({ name, via: 'session', session, ...defined({ address }) });
    if (started.kind === 'refused') throw new ProblemError(started.code);
    return generateSignedCookie(this.#cookie.name, `${session}.${clock.now()}`, cookieSecret, {
      ...this.#cookie.attributes,
      sameSite: 'Strict',
      maxAge: sessionMs / 1_000,
    });
  }

  /**
   * The operator whose session is in a `Cookie` header; undefined if the header has no valid session.
   * @throws StoreUnavailableError if the cookie is valid and the store cannot say whether its session was revoked.
   */
  async access(cookies: string | undefined, sender?: IncomingRequest): Promise<OperatorAccess | undefined> {
    const signed = await this.#signedSession(cookies, sender);
    if (signed === undefined || (await this.#options.sessions.isRevoked(signed.session))) return undefined;
    return signed.access;
  }

  /**
   * The operator who may watch the overview with a `Cookie` header; undefined if nobody may. While the store is away, a
   * valid cookie is enough, although the session may have been revoked: operators need the overview most at that time.
   */
  async watcher(cookies: string | undefined): Promise<OperatorAccess | undefined> {
    const signed = await this.#signedSession(cookies);
    if (signed === undefined) return undefined;
    try {
      return (await this.#options.sessions.isRevoked(signed.session)) ? undefined : signed.access;
    } catch (error) {
      if (error instanceof StoreUnavailableError) return signed.access;
      throw error;
    }
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
   * Returns the operator of a token. Refuses a wrong token. After too many of them from one client, refuses every token
   * of that client for a while.
   * @throws ProblemError
   */
  #checkToken(token: string, address = ''): KnownOperator {
    const waitS = this.#guesses.waitS(address);
    if (waitS > 0) {
      const detail = `Too many wrong tokens came from this address. The next one is heard in ${waitS} s.`;
      throw new ProblemError('rate_limited', { retryAfterS: waitS, detail });
    }
    const digest = digestOf(token);
    // Compares with every operator's token, so that the time does not depend on whose token was given.
    const [known] = this.#operators.filter((operator) => timingSafeEqual(digest, operator.digest));
    if (known !== undefined) return known;
    this.#guesses.failed(address);
    this.#options.log.warn({ client: address }, 'a wrong admin token was given');
    throw unauthorized('The bearer token is not the one of the operators.');
  }

  /** The session in a `Cookie` header that the key of an operator has signed, if it has not run out. */
  async #signedSession(
    cookies: string | undefined,
    sender?: IncomingRequest,
  ): Promise<SignedSession | undefined> {
    if (!cookies) return undefined;
    const { name: cookieName } = this.#cookie;
    for (const { name, mayChange, cookieSecret } of this.#operators) {
      const value = (await parseSigned(cookies, cookieSecret, cookieName))[cookieName];
      const { session, at } = /^(?<session>[\w-]{22})\.(?<at>\d{1,15})$/.exec(value || '')?.groups ?? {};
      if (session === undefined) continue;
      if (this.#options.clock.now() - Number(at) >= sessionMs) return undefined;
      const address = this.#addressOf(sender);
      return {
        session,
        access: { operator: { name, via: 'session', session, ...defined({ address }) }, mayChange },
      };
    }
    return undefined;
  }

  #addressOf(sender: IncomingRequest | undefined): string | undefined {
    return sender && this.#options.clientOf(sender);
  }

  /** Refuses changes that another site's page requests, because a browser may add the session's cookie to them. */
  #refuseOtherSites({ method, headers, url }: Request): void {
    const source = {
      host: headers.get('host') ?? new URL(url).host,
      origin: headers.get('origin') ?? undefined,
      site: headers.get('sec-fetch-site') ?? undefined,
    };
    const isOurs = source.site !== 'none' && isOwnOrigin(source, this.#options.settings.publicOrigin);
    if (!isSafeMethod(method) && !isOurs) throw new ProblemError('cross_site');
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
