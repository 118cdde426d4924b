import type { Context } from 'hono';

/**
 * Leads a browser to an order. Our script asks with `Prefer: return=minimal` (RFC 7240, section 4.2): it is told the
 * address and goes there by itself, where a redirect would have it load the page twice.
 */
export function redirectTo(c: Context, address: string): Response {
  const wantsMinimal = /(^|[,\s])return=minimal([,;\s]|$)/i.test(c.req.header('prefer') ?? '');
  if (!wantsMinimal) return c.redirect(address, 303);
  return c.body(null, 200, {
    Location: address,
    'Cache-Control': 'no-store',
    'Preference-Applied': 'return=minimal',
  });
}
