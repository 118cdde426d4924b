import { type ClientResolver, clientResolver, type TrustedProxies } from './client-address.ts';
import { ConcurrencyLimit } from './concurrency-limit.ts';
import type { Allowance, IncomingRequest, RateLimiter, RateLimits } from './rate-limits.ts';

/** How often something may be done in so many whole seconds. */
export interface Rate {
  readonly count: number;
  readonly windowS: number;
}

export interface LimitSettings {
  readonly purchases: Rate;
  readonly purchasesPerEmail: Rate;
  readonly lookUps: Rate;
  readonly reads: Rate;
  readonly sockets: Rate;
  /** 0: any number. */
  readonly socketsPerClient: number;
}

/** A limit that has been asked, and what it said. */
export interface LimitResult extends Allowance {
  readonly policy: RateLimiter['policy'];
}

/** What a client may do. Absent as a whole where everybody may do whatever they like. */
export interface HttpLimits {
  readonly purchase: ClientLimit;
  readonly lookUp: ClientLimit;
  /** What is on sale, as a page or as data: a page costs ten times what other reads do. */
  readonly read: ClientLimit;
  /** Reservations at the simulated suppliers by who has no token. */
  readonly supplier: ClientLimit;
  readonly socketOpening: ClientLimit;
  /**
   * Purchases with an email, by whomever. What is left is told to nobody: it would say whether somebody else has
   * just used the email.
   */
  readonly email: RateLimiter;
  /** Sockets that are open, by client. */
  readonly sockets: ConcurrencyLimit;
  clientOf(sender: IncomingRequest): string;
}

/** A rate limit of clients. */
export interface ClientLimit {
  /** As headers announce it, with what else goes for the same requests. */
  readonly policies: string;
  take(sender: IncomingRequest | undefined): Promise<LimitResult>;
}

/**
 * @param onUnheardProxy called for each refusal of a request that seems to come through a proxy, where none is trusted.
 */
export function httpLimits(
  limits: RateLimits,
  settings: LimitSettings,
  trusted: TrustedProxies,
  onUnheardProxy = () => {},
): HttpLimits {
  const { purchases, purchasesPerEmail, lookUps, reads, sockets, socketsPerClient } = settings;
  const clients = clientResolver(trusted);
  const email = limits.limiter({ name: 'email', ...purchasesPerEmail });
  const onRefused = (sender: IncomingRequest | undefined) => {
    if (trusted === 0 && sender?.headers['x-forwarded-for'] !== undefined) onUnheardProxy();
  };
  const byClient = (name: string, rate: Rate, ...others: RateLimiter[]) =>
    clientLimit(limits.limiter({ name, ...rate }), clients, others, onRefused);
  return {
    purchase: byClient('purchase', purchases, email),
    lookUp: byClient('look-up', lookUps),
    read: byClient('read', reads),
    supplier: byClient('supplier', purchases),
    socketOpening: byClient('socket', sockets),
    email,
    sockets: new ConcurrencyLimit(socketsPerClient),
    clientOf: (sender) => clients.of(sender),
  };
}

function clientLimit(
  limiter: RateLimiter,
  clients: ClientResolver,
  others: readonly RateLimiter[],
  onRefused: (sender: IncomingRequest | undefined) => void,
): ClientLimit {
  const { policy } = limiter;
  return {
    policies: [limiter, ...others].map((each) => policyItem(each.policy)).join(', '),
    async take(sender) {
      // Requests that did not come over a connection are those of tests.
      const allowance = await limiter.take(sender === undefined ? '' : clients.of(sender));
      if (!allowance.isAllowed) onRefused(sender);
      return { policy, ...allowance };
    },
  };
}

/** An item of `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers): so many in so many seconds. */
export function policyItem({ name, count, windowS }: RateLimiter['policy']): string {
  return `"${name}";q=${count};w=${windowS}`;
}

/** An item of `RateLimit`: what remains, and in how many seconds everything does again. */
export function rateItem({ policy, remaining, resetMs }: LimitResult): string {
  return `"${policy.name}";r=${remaining};t=${secondsUntil(resetMs)}`;
}

export function secondsUntil(resetMs: number): number {
  return Math.max(1, Math.ceil(resetMs / 1000));
}
