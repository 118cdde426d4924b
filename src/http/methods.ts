import type { Handler } from 'hono';
import { problem } from './problem.ts';

/**
 * What a route answers to every other method, put after its own handlers:
 * `routes.get(path, read).all(path, allowOnly('GET'))`. Hono answers HEAD from GET.
 */
export function allowOnly(...methods: readonly string[]): Handler {
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  return (c) =>
    c.req.method === 'OPTIONS'
      ? c.body(null, 204, { Allow: allow })
      : problem(c, 'method_not_allowed', { headers: { Allow: allow } });
}
