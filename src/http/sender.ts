import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { IncomingRequest } from '../rate-limits/rate-limits.ts';

/** Who sent a request, as far as its connection and headers tell. Requests of tests come over none. */
export function incomingRequest(c: Context): IncomingRequest | undefined {
  return (c.env as Partial<HttpBindings> | undefined)?.incoming;
}
