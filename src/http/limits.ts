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
 * A handler of the API behind a limit: 429 `rate_limited` before anything of the request is read. Every answer says
 * what is left. Without a limit it is the handler itself.
 */
export function limited(limit: ClientLimit | undefined, handle: RouteHandler): RouteHandler {
  if (limit === undefined) return handle;
  return async (c) => {
    const refused = await take(c, limit);
    return refused === undefined ? handle(c) : problem(c, 'rate_limited', refused);
  };
}

/** The same for a handler of a page, where the problem is shown as one. */
export function limitedPage(limit: ClientLimit | undefined, handle: RouteHandler): RouteHandler {
  if (limit === undefined) return handle;
  return async (c) => {
    const refused = await take(c, limit);
    if (refused !== undefined) throw new ProblemError('rate_limited', refused);
    return handle(c);
  };
}

/** Counts one use by the client; what to say of it, if that is one too many. */
export async function take(c: Context, limit: ClientLimit): Promise<ProblemExtra | undefined> {
  const verdict = await limit.take(bindingsOf(c).incoming);
  say(c, 'RateLimit', rateItem(verdict));
  say(c, 'RateLimit-Policy', limit.policies);
  return verdict.isAllowed ? undefined : tooMany(verdict);
}

/** Counts a purchase with this email; what to say of it, if that is one too many. */
export async function takeEmail(
  c: Context,
  limits: HttpLimits | undefined,
  email: string,
): Promise<ProblemExtra | undefined> {
  if (limits === undefined) return undefined;
  const { policy } = limits.email;
  const verdict = { policy, ...(await limits.email.take(email)) };
  if (verdict.isAllowed) return undefined;
  say(c, 'RateLimit', rateItem(verdict));
  return tooMany(verdict);
}

function tooMany({ resetMs, policy }: LimitResult): ProblemExtra {
  return { retryAfterS: secondsUntil(resetMs), detail: `The limit is ${policyItem(policy)}.` };
}

function bindingsOf(c: Context): Partial<HttpBindings> {
  return (c.env as Partial<HttpBindings> | undefined) ?? {};
}

/** Put on the answer that Node sends, whoever makes it: what goes through `Headers` costs five times as much. */
function say(c: Context, name: string, value: string): void {
  const { outgoing } = bindingsOf(c);
  if (outgoing === undefined) c.header(name, value);
  else outgoing.setHeader(name, value);
}

type Deps = Pick<AppServices, 'limits' | 'admission' | 'telemetry'>;

/**
 * A handler of purchases: behind the limit of its client, and while the server is far behind, 503 `overloaded`
 * before anything of the request is read.
 */
export function purchasing(deps: Deps, handle: RouteHandler): RouteHandler {
  return limited(
    deps.limits?.purchase,
    admitted(deps, handle, (c) => problem(c, 'overloaded')),
  );
}

/** The same for pages. `overloaded` shows the problem as one. */
export function purchasingPage(deps: Deps, handle: RouteHandler, overloaded: RouteHandler): RouteHandler {
  return limitedPage(deps.limits?.purchase, admitted(deps, handle, overloaded));
}

/** Nobody logs who is turned away: there are thousands. */
function admitted(
  { admission, telemetry }: Deps,
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

/** Who sent a request, as far as its connection and headers tell. Requests of tests come over none. */
export function incomingRequest(c: Context): IncomingRequest | undefined {
  return (c.env as Partial<HttpBindings> | undefined)?.incoming;
}
