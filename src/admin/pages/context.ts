import { type Context, Hono } from 'hono';
import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { z } from 'zod';
import { type ErrorCode, errorKind } from '../../domain/errors.ts';
import type { AppServices, HttpSettings, OperatorAccess } from '../../http/app-services.ts';
import type { RenderContext } from '../../http/pages/layout.ts';
import { markup } from '../../http/pages/markup.ts';
import { sendErrorPage, sendPage } from '../../http/pages/responses.ts';
import { en } from '../../http/pages/texts/en.ts';
import { ProblemError, type ProblemExtra } from '../../http/problem.ts';
import { readForm } from '../../http/request.ts';
import { cookieFormat } from '../../http/security.ts';
import { defined } from '../../lib/defined.ts';
import type { HttpAdmin } from '../admin-auth.ts';
import type { AdminService } from '../admin-service.ts';
import { type AdminPageParts, type AdminSetting, adminPage } from './layout.ts';
import type { OverviewReader } from './overview.ts';
import type { PackageRows } from './package-rows.ts';

/** The services that the admin pages use. */
export interface AdminDeps extends Pick<AppServices, 'engine' | 'clock' | 'log' | 'settings'> {
  readonly service: AdminService;
  readonly auth: HttpAdmin['auth'];
  readonly overview: OverviewReader;
  readonly rows: PackageRows;
  readonly assetUrl: RenderContext['assetUrl'];
}

/** The context of handlers behind the log-in has the operator, who may only read if `mayChange` is false. */
export interface AdminEnv {
  readonly Variables: OperatorAccess;
}

export type AdminContext = Context<AdminEnv>;

export function adminRouter(): Hono<AdminEnv> {
  return new Hono<AdminEnv>();
}

export function adminSetting(c: Context, { assetUrl, clock, settings }: AdminDeps): AdminSetting {
  const { operator, mayChange } = c.var as Partial<OperatorAccess>;
  const reader = mayChange === false ? operator?.name : undefined;
  return { assetUrl, now: clock.now(), currency: settings.currency, texts: en, ...defined({ reader }) };
}

/** Shows a page, with the notice of the last action on top. */
export async function show(
  c: Context,
  deps: AdminDeps,
  parts: AdminPageParts,
  status: ContentfulStatusCode = 200,
): Promise<Response> {
  const notice = await takeNotice(c, deps.settings);
  return sendPage(c, adminPage(adminSetting(c, deps), { ...parts, notice }), status);
}

/** Shows a page with an alert that says why a request was refused, and with the error's status. */
export function showRefused(
  c: Context,
  deps: AdminDeps,
  code: ErrorCode,
  parts: AdminPageParts,
  retryAfterS?: number,
): Response {
  // The error catalogue's advice is written for customers, so operators see only the title of the error.
  const alert = parts.alert ?? `${errorKind(code).title}.`;
  return sendErrorPage(c, adminPage(adminSetting(c, deps), { ...parts, alert }), code, retryAfterS);
}

/** Shows a page that only says what went wrong. */
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
  // These details name the methods that the address allows, or the package that cannot be read.
  const alert = code === 'method_not_allowed' || code === 'store_unavailable' ? detail : undefined;
  return showRefused(c, deps, code, { title: errorKind(code).title, main, alert });
}

/** Redirects to a page, which shows the notice. */
export async function goOn(c: Context, deps: AdminDeps, to: string, notice: string): Promise<Response> {
  await leaveNotice(c, deps.settings, notice);
  return c.redirect(to, 303);
}

/** Returns the value. @throws ProblemError if the value is undefined. */
export function found<Value>(value: Value | undefined, code: ErrorCode): Value {
  if (value === undefined) throw new ProblemError(code);
  return value;
}

type NoticeSettings = Pick<HttpSettings, 'secret' | 'publicOrigin'>;

const noticeName = 'admin-notice';
const keptS = 60;

/** Leaves a notice for the next page, in a signed cookie. */
export async function leaveNotice(c: Context, settings: NoticeSettings, words: string): Promise<void> {
  const { name, attributes } = cookieFormat(noticeName, settings);
  await setSignedCookie(c, name, words, keyOf(settings), {
    ...attributes,
    sameSite: 'Strict',
    maxAge: keptS,
  });
}

/** Takes the notice out of the cookie. Undefined for a cookie that this server did not sign. */
export async function takeNotice(c: Context, settings: NoticeSettings): Promise<string | undefined> {
  const { name, attributes } = cookieFormat(noticeName, settings);
  const words = await getSignedCookie(c, keyOf(settings), name);
  if (words === undefined) return undefined;
  deleteCookie(c, name, attributes);
  return words || undefined;
}

/** A signature does not cover the cookie's name, so each cookie has its own key. */
function keyOf({ secret }: NoticeSettings): string {
  return `${noticeName}:${secret}`;
}

/**
 * Answers a form that was sent while the store was away: shows a button that sends the same form again, because going
 * back in the browser would show the form empty. Sending a form twice is harmless, because a change names the version
 * that was read.
 */
export async function showSendAgain(c: Context, deps: AdminDeps): Promise<Response> {
  const fields = await fieldsOf(c);
  return showRefused(c, deps, 'store_unavailable', {
    title: 'The store does not answer',
    main: markup`
      <h1>That did not work yet</h1>
      <p>Your entries are kept on this page. Send them again when the store answers.</p>
      <div class="confirm-actions">
        <form method="post" action="${new URL(c.req.url).pathname}">
          ${Object.entries(fields).map(
            ([name, value]) =>
              markup`<input type="hidden" name="${name}" value="${value}" autocomplete="off">`,
          )}
          <button class="button primary" type="submit" data-busy="One moment…"><span class="button-label">Send it again</span></button>
        </form>
        <a class="button quiet" href="/admin">Back to the overview</a>
      </div>`,
  });
}

/** The fields of the form; empty if the form cannot be read, because some forms have no fields. */
async function fieldsOf(c: Context): Promise<Readonly<Record<string, string>>> {
  try {
    return (await readForm(c, z.object({}))).fields;
  } catch {
    return {};
  }
}
