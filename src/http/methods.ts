import type { Context, Handler } from 'hono';
import { ProblemError, problem, type SendProblem } from './problem.ts';

/**
 * What a route answers to every other method, put after its own handlers:
 * `routes.get(path, read).all(path, allowOnly('GET'))`. Hono answers HEAD from GET.
 */
export function allowOnly(...methods: readonly string[]): Handler {
  return allowing(methods, problem);
}

/** The same for a page: it is refused in the way that everything else is at its address. */
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

/** What a stranger sends as a method is not repeated, unless it looks like one. */
function named(method: string): string {
  return /^[A-Z]{1,10}$/.test(method) ? method : 'that method';
}
