import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { Sender } from '../rate-limits/rate-limits.ts';

/** Who sent a request, as far as its connection and headers tell. Requests of tests come over none. */
export function senderOf(c: Context): Sender | undefined {
  return (c.env as Partial<HttpBindings> | undefined)?.incoming;
}
