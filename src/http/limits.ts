import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import {
  type ClientLimit,
  type HttpLimits,
  type LimitResult,
  policyItem,
  rateItem,
  secondsUntil,
} from '../rate-limits/limits.ts';
import type { IncomingRequest } from '../rate-limits/rate-limits.ts';
import type { AppServices } from './app-services.ts';
import { ProblemError, type ProblemExtra, problem } from './problem.ts';

export type RouteHandler = (c: Context) => Response | Promise<Response>;

/**
 * Puts an API handler behind a rate limit. Above it, requests get 429 `rate_limited` before their body is read. Every
 * answer has `RateLimit` headers. Without a limit, returns the handler itself.
 */
export function limited(limit: ClientLimit | undefined, handle: RouteHandler): RouteHandler {
  if (limit === undefined) return handle;
  return async (c) => {
    const refused = await take(c, limit);
    return refused === undefined ? handle(c) : problem(c, 'rate_limited', refused);
  };
}

/** The same for a page: the problem is thrown, so that it is shown as a page. */
export function limitedPage(limit: ClientLimit | undefined, handle: RouteHandler): RouteHandler {
  if (limit === undefined) return handle;
  return async (c) => {
    const refused = await take(c, limit);
    if (refused !== undefined) throw new ProblemError('rate_limited', refused);
    return handle(c);
  };
}

/** Counts a request of the client and sets the `RateLimit` headers. Returns the problem when it is above the limit. */
export async function take(c: Context, limit: ClientLimit): Promise<ProblemExtra | undefined> {
  const result = await limit.take(bindingsOf(c).incoming);
  say(c, 'RateLimit', rateItem(result));
  say(c, 'RateLimit-Policy', limit.policies);
  return result.isAllowed ? undefined : tooMany(result);
}

/** Counts a purchase with this email. Returns the problem when it is above the limit. */
export async function takeEmail(
  c: Context,
  limits: HttpLimits | undefined,
  email: string,
): Promise<ProblemExtra | undefined> {
  if (limits === undefined) return undefined;
  const { policy } = limits.email;
  const result = { policy, ...(await limits.email.take(email)) };
  if (result.isAllowed) return undefined;
  say(c, 'RateLimit', rateItem(result));
  return tooMany(result);
}

function tooMany({ resetMs, policy }: LimitResult): ProblemExtra {
  return { retryAfterS: secondsUntil(resetMs), detail: `The limit is ${policyItem(policy)}.` };
}

function bindingsOf(c: Context): Partial<HttpBindings> {
  return (c.env as Partial<HttpBindings> | undefined) ?? {};
}

/** Sets a header on Node's own response: five times faster than Hono's `Headers`. Tests have no Node response. */
function say(c: Context, name: string, value: string): void {
  const { outgoing } = bindingsOf(c);
  if (outgoing === undefined) c.header(name, value);
  else outgoing.setHeader(name, value);
}

type Services = Pick<AppServices, 'limits' | 'admission' | 'telemetry'>;

/**
 * Puts an API handler of purchases behind the client's rate limit and the overload check. An overloaded server answers
 * 503 `overloaded` before it reads the body.
 */
export function purchasing(services: Services, handle: RouteHandler): RouteHandler {
  return limited(
    services.limits?.purchase,
    admitted(services, handle, (c) => problem(c, 'overloaded')),
  );
}

/** The same for pages. `overloaded` sends the problem as a page. */
export function purchasingPage(
  services: Services,
  handle: RouteHandler,
  overloaded: RouteHandler,
): RouteHandler {
  return limitedPage(services.limits?.purchase, admitted(services, handle, overloaded));
}

/** Refusals are counted but not logged: there may be thousands a second. */
function admitted(
  { admission, telemetry }: Services,
  handle: RouteHandler,
  overloaded: RouteHandler,
): RouteHandler {
  if (admission === undefined) return handle;
  return (c) => {
    if (admission.admits()) return handle(c);
    telemetry?.metrics.purchase('overloaded');
    return overloaded(c);
  };
}

/** Node's request, with the connection that it came over. Undefined in tests that call the app without a server. */
export function incomingRequest(c: Context): IncomingRequest | undefined {
  return (c.env as Partial<HttpBindings> | undefined)?.incoming;
}
