import { type Context, type Handler, Hono } from 'hono';
import { ProblemError, problem, type SendProblem } from './problem.ts';

export type RouteHandler = (c: Context) => Response | Promise<Response>;

/** The handlers of routes, by path and method. */
export type RouteTable = Readonly<Record<string, Readonly<Record<string, RouteHandler>>>>;

/** Whether requests with this method only read (RFC 9110, section 9.2.1). */
export function isSafeMethod(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

/** Serves the routes of a table. Other methods of their paths are answered as {@link allowOnly} says. */
export function serveRoutes(table: RouteTable, show: SendProblem = problem): Hono {
  const routes = new Hono();
  for (const [path, handlers] of Object.entries(table)) {
    for (const [method, handle] of Object.entries(handlers)) routes.on(method, path, handle);
    routes.all(path, allowing(Object.keys(handlers), show));
  }
  return routes;
}

/**
 * Answers all other methods of a route with 405, and OPTIONS with 204. Register it after the route's own handlers:
 * `routes.get(path, read).all(path, allowOnly('GET'))`. Hono answers HEAD from GET.
 */
export function allowOnly(...methods: readonly string[]): Handler {
  return allowing(methods, problem);
}

/** Like {@link allowOnly}, for a page. Throws the problem, so that the page's error handler shows it. */
export function allowOnlyOnPage(...methods: readonly string[]): Handler {
  return allowing(methods, (_c, code, extra) => {
    throw new ProblemError(code, extra);
  });
}

function allowing(methods: readonly string[], show: SendProblem): RouteHandler {
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  const taken = methods.join(' and ');
  return (c) =>
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
