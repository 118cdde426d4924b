import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { errorKind } from '../../domain/errors.ts';
import { readForm } from '../../http/body.ts';
import { formatWait } from '../../http/pages/format.ts';
import type { SignInRefusal } from '../identity.ts';
import { type AdminDeps, type AdminEnv, adminRouter, show, showRefused } from './context.ts';
import { logInPage, safeNext } from './log-in-page.ts';

const logInForm = z.object({ token: z.string().trim().min(1).max(1024), next: z.string().optional() });

/** Signing in, for who is not; `GET /admin` is answered here then. */
export function logInRoutes(deps: AdminDeps): Hono {
  return new Hono().post('/admin/log-in', async (c) => {
    const form = await readForm(c, logInForm);
    const next = safeNext(form.fields.next);
    const refusal =
      'errors' in form ? ({ code: 'unauthorized' } as const) : await deps.sessions.start(c, form.value.token);
    if (refusal === undefined) return c.redirect(next, 303);
    const page = logInPage({ next, alert: refusalWords(refusal) });
    return showRefused(c, deps, refusal.code, page, refusal.retryAfterS);
  });
}

function refusalWords({ code, retryAfterS }: SignInRefusal): string {
  if (code === 'unauthorized') return 'That is not the admin token of this server.';
  if (code !== 'rate_limited' || retryAfterS === undefined) return errorKind(code).words;
  return `Too many wrong tokens came from your address. Try again in ${formatWait(retryAfterS)}; until then no token is checked.`;
}

/** The log-in form in place of a page that needs it. After a form that was sent, one begins at the overview. */
export function askToLogIn(c: Context, deps: AdminDeps): Promise<Response> | Response {
  const { pathname, search } = new URL(c.req.url);
  const isRead = c.req.method === 'GET' || c.req.method === 'HEAD';
  const next = isRead ? safeNext(pathname + search) : '/admin';
  if (isRead && pathname === '/admin') return show(c, deps, logInPage({ next }));
  return showRefused(c, deps, 'unauthorized', logInPage({ next, alert: 'Log in to see this page.' }));
}

export function logOutRoutes(deps: AdminDeps): Hono<AdminEnv> {
  return adminRouter().post('/admin/log-out', async (c) => {
    await deps.sessions.end(c, c.var.operator);
    return c.redirect('/admin', 303);
  });
}
