import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';

/** What node-server gives to the handler of a request. */
export interface Bindings extends HttpBindings {
  /**
   * The names and values of headers that were set before the answer. Present if the route answers directly: see
   * direct-answer.ts.
   */
  directHeaders?: string[];
}

/** Node's request and response. All members are undefined in tests that call the app without a server. */
export function bindings(c: Context): Partial<Bindings> {
  return (c.env ?? {}) as Partial<Bindings>;
}
