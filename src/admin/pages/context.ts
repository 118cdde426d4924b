import { type Context, Hono } from 'hono';
import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { z } from 'zod';
import { type ErrorCode, errorKind } from '../../domain/errors.ts';
import type { AppServices, HttpSettings } from '../../http/app-services.ts';
import { readForm } from '../../http/body.ts';
import type { RenderContext } from '../../http/pages/layout.ts';
import { markup } from '../../http/pages/markup.ts';
import { sendErrorPage, sendPage } from '../../http/pages/responses.ts';
import { ProblemError, type ProblemExtra } from '../../http/problem.ts';
import { cookieFormat } from '../../http/security.ts';
import type { Operator } from '../../storage/operator-log.ts';
import type { HttpAdmin } from '../admin-auth.ts';
import type { AdminService } from '../admin-service.ts';
import { type AdminPageParts, adminPage } from './layout.ts';
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

type NoticeSettings = Pick<HttpSettings, 'secret' | 'publicOrigin'>;

const noticeName = 'admin-notice';
const keptS = 60;

/** Has the next page that is shown say what was done. */
export async function leaveNotice(c: Context, settings: NoticeSettings, words: string): Promise<void> {
  const { name, attributes } = cookieFormat(noticeName, settings);
  await setSignedCookie(c, name, words, keyOf(settings), {
    ...attributes,
    sameSite: 'Strict',
    maxAge: keptS,
  });
}

/** What was done last, told once. A cookie that we did not sign says nothing. */
export async function takeNotice(c: Context, settings: NoticeSettings): Promise<string | undefined> {
  const { name, attributes } = cookieFormat(noticeName, settings);
  const words = await getSignedCookie(c, keyOf(settings), name);
  if (words === undefined) return undefined;
  deleteCookie(c, name, attributes);
  return words || undefined;
}

/** A cookie's signature does not cover its name: what was signed for another one is worth nothing here. */
function keyOf({ secret }: NoticeSettings): string {
  return `${noticeName}:${secret}`;
}

/**
 * A form that came while the store was away, to be sent again as it was: going back in the browser would show it
 * empty. Repeating any of them is harmless: a change goes by the version that was read.
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

/** Empty where the form cannot be read: some have no fields at all. */
async function fieldsOf(c: Context): Promise<Readonly<Record<string, string>>> {
  try {
    return (await readForm(c, z.object({}))).fields;
  } catch {
    return {};
  }
}
