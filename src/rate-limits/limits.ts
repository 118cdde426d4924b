import { clientResolver, type TrustedProxies } from './client-address.ts';
import { ConcurrencyLimit } from './concurrency-limit.ts';
import type { Allowance, IncomingRequest, RateLimiter, RateLimits, RatePolicy } from './rate-limits.ts';

type Rate = Omit<RatePolicy, 'name'>;

export interface LimitSettings {
  readonly purchases: Rate;
  readonly purchasesPerEmail: Rate;
  readonly lookUps: Rate;
  readonly reads: Rate;
  readonly sockets: Rate;
  /** The most open sockets of one client. 0 means no limit. */
  readonly socketsPerClient: number;
}

/** The result of one use, with the policy that it was counted against. */
export interface LimitResult extends Allowance {
  readonly policy: RatePolicy;
}

/** The limits of the HTTP routes. */
export interface HttpLimits {
  readonly purchase: ClientLimit;
  readonly lookUp: ClientLimit;
  /**
   * Limits reads of the list of packages, as a page or as JSON. Rendering the page costs ten times as much as other
   * reads.
   */
  readonly read: ClientLimit;
  /** Limits reservations of public callers at the simulated suppliers. */
  readonly supplier: ClientLimit;
  readonly socketOpening: ClientLimit;
  /**
   * Limits purchases per email, by all clients together. Callers do not see how many remain, because that would reveal
   * whether somebody else has just used the email.
   */
  readonly email: RateLimiter;
  /** Limits the open sockets of each client. */
  readonly sockets: ConcurrencyLimit;
  clientOf(request: IncomingRequest): string;
}

/** A rate limit per client. */
export interface ClientLimit {
  /** The value of `RateLimit-Policy`: this limit and others that apply to the same requests. */
  readonly policies: string;
  take(request: IncomingRequest | undefined): Promise<LimitResult>;
}

/** @param onUntrustedProxy called when a refused request has `X-Forwarded-For` but no proxy is trusted. */
export function httpLimits(
  limits: RateLimits,
  settings: LimitSettings,
  trusted: TrustedProxies,
  onUntrustedProxy = () => {},
): HttpLimits {
  const { purchases, purchasesPerEmail, lookUps, reads, sockets, socketsPerClient } = settings;
  const clients = clientResolver(trusted);
  const email = limits.limiter({ name: 'email', ...purchasesPerEmail });
  const onRefused = (request: IncomingRequest | undefined) => {
    if (trusted === 0 && request?.headers['x-forwarded-for'] !== undefined) onUntrustedProxy();
  };
  const byClient = (name: string, rate: Rate, ...others: RateLimiter[]): ClientLimit => {
    const limiter = limits.limiter({ name, ...rate });
    const { policy } = limiter;
    return {
      policies: [limiter, ...others].map((each) => policyItem(each.policy)).join(', '),
      async take(request) {
        // Undefined in tests that call the app without a server, and for events of the simulated payment provider.
        const allowance = await limiter.take(request === undefined ? '' : clients.of(request));
        if (!allowance.isAllowed) onRefused(request);
        return { policy, ...allowance };
      },
    };
  };
  return {
    purchase: byClient('purchase', purchases, email),
    lookUp: byClient('look-up', lookUps),
    read: byClient('read', reads),
    supplier: byClient('supplier', purchases),
    socketOpening: byClient('socket', sockets),
    email,
    sockets: new ConcurrencyLimit(socketsPerClient),
    clientOf: (request) => clients.of(request),
  };
}

/** An item of `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers): the quota and the window in seconds. */
export function policyItem({ name, count, windowS }: RatePolicy): string {
  return `"${name}";q=${count};w=${windowS}`;
}

/** An item of `RateLimit`: the remaining uses, and the seconds until the window ends. */
export function rateItem({ policy, remaining, resetMs }: LimitResult): string {
  return `"${policy.name}";r=${remaining};t=${secondsUntil(resetMs)}`;
}

export function secondsUntil(resetMs: number): number {
  return Math.max(1, Math.ceil(resetMs / 1000));
}
