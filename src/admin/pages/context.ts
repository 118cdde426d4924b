import { type Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { type ErrorCode, errorKind } from '../../domain/errors.ts';
import type { AppServices } from '../../http/app-services.ts';
import type { RenderContext } from '../../http/pages/layout.ts';
import { markup } from '../../http/pages/markup.ts';
import { sendErrorPage, sendPage } from '../../http/pages/responses.ts';
import { ProblemError, type ProblemExtra } from '../../http/problem.ts';
import type { Operator } from '../../storage/operator-log.ts';
import type { HttpAdmin } from '../admin-auth.ts';
import type { AdminService } from '../admin-service.ts';
import { type AdminPageParts, adminPage } from './layout.ts';
import { leaveNotice, takeNotice } from './notice.ts';
import type { OverviewReader } from './overview.ts';
import type { PackageRows } from './package-rows.ts';

/** What the operators' pages are made of. */
export interface AdminDeps extends Pick<AppServices, 'engine' | 'clock' | 'log' | 'settings'> {
  readonly service: AdminService;
  readonly auth: HttpAdmin['auth'];
  readonly overview: OverviewReader;
  readonly rows: PackageRows;
  readonly assetUrl: RenderContext['assetUrl'];
}

/** Handlers behind the log-in know who asks. */
export interface AdminEnv {
  readonly Variables: { readonly operator: Operator };
}

export type AdminContext = Context<AdminEnv>;

export function adminRouter(): Hono<AdminEnv> {
  return new Hono<AdminEnv>();
}

export function adminSetting({ assetUrl, clock, settings }: AdminDeps): RenderContext {
  return { assetUrl, now: clock.now(), currency: settings.currency };
}

/** Shows a page, with what was done last on top of it. */
export async function show(
  c: Context,
  deps: AdminDeps,
  parts: AdminPageParts,
  status: ContentfulStatusCode = 200,
): Promise<Response> {
  const notice = await takeNotice(c, deps.settings);
  return sendPage(c, adminPage(adminSetting(deps), { ...parts, notice }), status);
}

/** The same page again, with why what was asked for did not happen, and the status of that. */
export function showRefused(
  c: Context,
  deps: AdminDeps,
  code: ErrorCode,
  parts: AdminPageParts,
  retryAfterS?: number,
): Response {
  // The catalogue's words are for customers; its titles say the same to who runs the server.
  const alert = parts.alert ?? `${errorKind(code).title}.`;
  return sendErrorPage(c, adminPage(adminSetting(deps), { ...parts, alert }), code, retryAfterS);
}

/** A page that says nothing but what went wrong. */
export function showProblem(
  c: Context,
  deps: AdminDeps,
  code: ErrorCode,
  { headers = {}, detail }: ProblemExtra = {},
): Response {
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  const main = markup`
    <h1>${code === 'unknown_route' ? 'Page not found' : 'That did not work'}</h1>
    <p><a class="button quiet" href="/admin">Back to the overview</a></p>`;
  // The route's own detail names the methods that it allows.
  const alert = code === 'method_not_allowed' ? detail : undefined;
  return showRefused(c, deps, code, { title: errorKind(code).title, main, alert });
}

/** Goes to a page after something was done, and has it say so. */
export async function goOn(c: Context, deps: AdminDeps, to: string, notice: string): Promise<Response> {
  await leaveNotice(c, deps.settings, notice);
  return c.redirect(to, 303);
}

/** @throws ProblemError where there is none. */
export function found<Value>(value: Value | undefined, code: ErrorCode): Value {
  if (value === undefined) throw new ProblemError(code);
  return value;
}
