import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { type ErrorCode, errorKind } from '../../domain/errors.ts';
import { bindings } from '../../http/bindings.ts';
import { type Html, markup } from '../../http/pages/markup.ts';
import { ProblemError, toProblemError } from '../../http/problem.ts';
import { readForm } from '../../http/request.ts';
import { type AdminDeps, type AdminEnv, adminRouter, show, showRefused } from './context.ts';
import { field } from './field.ts';
import { formatWait } from './format.ts';
import type { AdminPageParts } from './layout.ts';

const logInForm = z.object({ token: z.string().trim().min(1).max(1024), next: z.string().optional() });

/** `POST /admin/log-in`, for browsers that are not signed in. */
export function logInRoutes(deps: AdminDeps): Hono {
  return new Hono().post('/admin/log-in', async (c) => {
    const form = await readForm(c, logInForm);
    const next = safeNext(form.fields.next);
    try {
      if ('errors' in form) throw new ProblemError('unauthorized');
      const cookies = c.req.header('cookie');
      c.header('Set-Cookie', await deps.auth.logIn(form.value.token, cookies, bindings(c).incoming));
    } catch (error) {
      const { code, extra } = toProblemError(error);
      if (code === 'internal') throw error;
      const page = logInPage({ next, alert: refusalText(code, extra.retryAfterS) });
      return showRefused(c, deps, code, page, extra.retryAfterS);
    }
    return c.redirect(next, 303);
  });
}

function refusalText(code: ErrorCode, retryAfterS: number | undefined): string {
  if (code === 'unauthorized') return 'That is not the admin token of this server.';
  if (code !== 'rate_limited' || retryAfterS === undefined) return errorKind(code).words;
  return `Too many wrong tokens came from your address. Try again in ${formatWait(retryAfterS)}; until then no token is checked.`;
}

/**
 * Shows the log-in form instead of the requested page. The log-in then leads to that page, or after a POST to the
 * overview.
 */
export function askToLogIn(c: Context, deps: AdminDeps): Promise<Response> | Response {
  const { pathname, search } = new URL(c.req.url);
  const isRead = c.req.method === 'GET' || c.req.method === 'HEAD';
  const next = isRead ? safeNext(pathname + search) : '/admin';
  if (isRead && pathname === '/admin') return show(c, deps, logInPage({ next }));
  return showRefused(c, deps, 'unauthorized', logInPage({ next, alert: 'Log in to see this page.' }));
}

export function logOutRoutes(deps: AdminDeps): Hono<AdminEnv> {
  return adminRouter().post('/admin/log-out', async (c) => {
    c.header('Set-Cookie', await deps.auth.logOut(c.var.operator));
    return c.redirect('/admin', 303);
  });
}

export interface LogInState {
  /** The path of the page to go to after the log-in. */
  readonly next: string;
  readonly alert?: string;
}

/** The log-in form, with one field for the admin token. */
export function logInPage({ next, alert }: LogInState): AdminPageParts {
  return {
    title: 'Log in',
    isOutside: true,
    alert,
    main: markup`
      <form class="card form log-in" method="post" action="/admin/log-in">
        <h1>Log in</h1>
        ${nextField(next)}
        <input hidden autocomplete="username" value="admin">
        ${field({ name: 'token', label: 'Admin token', type: 'password', required: true, autocomplete: 'current-password', autofocus: alert === undefined, note: 'The ADMIN_TOKEN of this server, or yours in ADMIN_TOKENS.' })}
        <button class="button primary" type="submit" data-busy="One moment…"><span class="button-label">Log in</span></button>
      </form>`,
  };
}

function nextField(next: string): Html | '' {
  return next === '/admin'
    ? ''
    : markup`<input type="hidden" name="next" value="${next}" autocomplete="off">`;
}

const pagePath = /^\/admin\/(?:packages|orders|instances|log|export|erase)\b[\w\-./?=&%:]*$/;

/**
 * Returns `next` if it is the path of an admin page, otherwise the path of the overview, never another site. For a file
 * it returns the page of the exports, with the same filter: a download would leave the log-in page where it is.
 */
export function safeNext(next: string | undefined): string {
  const page = next?.replace(/^(\/admin\/export)\/\w+\.csv\b/, '$1');
  const isOurs = page !== undefined && pagePath.test(page);
  return isOurs && !/^\/admin\/log-/.test(page) ? page : '/admin';
}
