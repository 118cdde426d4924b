import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../observability/log.ts';
import { onError } from './problem.ts';
import { isOwnOrigin, pageSecurity, sameOriginOnly } from './security.ts';

const host = 'localhost:8888';
const own = 'http://localhost:8888';
const alien = 'https://evil.example';
const none = undefined;

describe('isOwnOrigin', () => {
  it.each([
    ['a program without either header', none, none, true],
    ['a page of ours, by Sec-Fetch-Site', own, 'same-origin', true],
    ['a page of ours, whose browser sends no Sec-Fetch-Site', own, none, true],
    ['a page of ours behind a proxy that speaks TLS', 'https://localhost:8888', none, true],
    ['a page of ours that hides its referrer', 'null', 'same-origin', true],
    ['the public origin', 'https://tickets.example', none, true],
    ['the public origin, seen as another site', 'https://tickets.example', 'cross-site', true],
    ['typed into the address bar', none, 'none', true],
    ['another site', alien, 'cross-site', false],
    ['another site, by Origin alone', alien, none, false],
    ['a sister domain', 'https://other.tickets.example', 'same-site', false],
    ['a sandboxed frame', 'null', none, false],
    ['another port', 'http://localhost:9999', none, false],
    ['an Origin that is no URL', 'localhost:8888x', none, false],
  ])('%s (Origin %s, Sec-Fetch-Site %s): %s', (_what, origin, site, isOwn) => {
    expect(isOwnOrigin({ host, origin, site }, 'https://tickets.example')).toBe(isOwn);
  });
});

describe('pages', () => {
  const app = new Hono().use(pageSecurity(), sameOriginOnly({})).all('/', (c) => c.text('ok'));
  app.onError(onError(silentLog));

  it('may load and call only their own origin, and may not be framed', async () => {
    const { headers } = await app.request('/');
    const policy = headers.get('content-security-policy') ?? '';
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ]) {
      expect(policy.split('; ')).toContain(rule);
    }
    expect(policy).not.toMatch(/unsafe/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('same-origin');
  });

  it('refuse forms of other sites', async () => {
    const headers = { Origin: alien };
    const refused = await app.request('/', { method: 'POST', headers });
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ code: 'cross_site' });
    expect((await app.request('/', { headers })).status).toBe(200);
    expect((await app.request('/', { method: 'POST', headers: { Origin: 'http://localhost' } })).status).toBe(
      200,
    );
  });
});
