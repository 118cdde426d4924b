import type { Context, Handler } from 'hono';
import { ProblemError, problem, type SendProblem } from './problem.ts';

/**
 * Answers all other methods of a route with 405, and OPTIONS with 204. Register it after the route's own handlers:
 * `routes.get(path, read).all(path, allowOnly('GET'))`. Hono answers HEAD from GET.
 */
export function allowOnly(...methods: readonly string[]): Handler {
  return allowing(methods, problem);
}

/** The same for a page; the problem is thrown, so that the page's error handler shows it. */
export function allowOnlyOnPage(...methods: readonly string[]): Handler {
  return allowing(methods, (_c, code, extra) => {
    throw new ProblemError(code, extra);
  });
}

function allowing(methods: readonly string[], show: SendProblem): Handler {
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  const taken = methods.join(' and ');
  return (c: Context) =>
    c.req.method === 'OPTIONS'
      ? c.body(null, 204, { Allow: allow })
      : show(c, 'method_not_allowed', {
          headers: { Allow: allow },
          detail: `This address takes ${taken}, not ${named(c.req.method)}.`,
        });
}

/** Repeats the caller's method in the answer only if it looks like a method. */
function named(method: string): string {
  return /^[A-Z]{1,10}$/.test(method) ? method : 'that method';
}
