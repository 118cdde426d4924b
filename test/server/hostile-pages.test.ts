import { describe, expect, it } from 'vitest';
import { fakeAuth } from '../support/fake-admin.ts';
import { fakeApp } from '../support/fake-app.ts';
import { fakeOrder } from '../support/fake-engine.ts';

/*
 * The pages of the app's route table, so that these checks include every new page. The requests come as from a browser
 * that is signed in to the operators' pages.
 */

const app = fakeApp();
const session = await signIn();

interface Route {
  readonly method: string;
  readonly path: string;
}

const routes = uniqueRoutes();
const pages = routes.filter(({ method }) => method === 'GET');
const forms = routes.filter(({ method }) => method === 'POST');

/** The routes of pages and forms, without the API, files, and routes for machines. */
function uniqueRoutes(): Route[] {
  const ofMachines = /^\/(api|assets|healthz|readyz|metrics|live|(openapi|asyncapi)\.json)\b|\*/;
  const all = new Map<string, Route>();
  for (const { method, path } of app.routes) {
    if (/^(GET|POST)$/.test(method) && !ofMachines.test(path)) all.set(`${method} ${path}`, { method, path });
  }
  return [...all.values()];
}

async function signIn(): Promise<string> {
  const { access } = fakeAuth();
  const body = new URLSearchParams({ token: 'open-sesame' });
  const answer = await app.request('/admin/log-in', { method: 'POST', body });
  const [cookie = ''] = (answer.headers.get('set-cookie') ?? '').split(';');
  expect(await access(cookie)).toBeDefined();
  return cookie;
}

function addressOf(path: string): string {
  return path.replace('/orders/:id', `/orders/${fakeOrder().id}`).replaceAll(':id', '1');
}

function ask({ method, path }: Route, headers: Record<string, string> = {}, body?: string) {
  const given = { accept: 'text/html', cookie: session, ...headers };
  return app.request(addressOf(path), { method, headers: given, ...(body === undefined ? {} : { body }) });
}

/** Markup that the content security policy forbids. */
const forbidden =
  /<script(?![^>]*\ssrc="\/assets\/)|<style|\sstyle=|\son\w+=|javascript:|<(iframe|object|embed|base)\b/i;

async function expectPolicy(answer: Response, path: string): Promise<void> {
  const policy = answer.headers.get('content-security-policy') ?? '';
  const styles = path === '/docs' ? "style-src 'self' 'unsafe-inline'" : "style-src 'self'";
  const rules = [
    "default-src 'none'",
    "script-src 'self'",
    styles,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  expect(policy.split('; ')).toEqual(expect.arrayContaining([...rules, "form-action 'self'"]));
  expect(policy.replace(styles, '')).not.toMatch(/unsafe|\*|https?:/);
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect(answer.headers.get('referrer-policy')).toBe('same-origin');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(await answer.text()).not.toMatch(forbidden);
}

it('finds the pages and forms of customers and of operators', () => {
  const paths = (some: Route[]) => some.map(({ path }) => path);
  expect(paths(pages)).toEqual(
    expect.arrayContaining(['/order', '/orders/:id', '/docs', '/admin', '/admin/orders/:id', '/admin/log']),
  );
  expect(paths(forms)).toEqual(
    expect.arrayContaining(['/order', '/query', '/orders/:id/cancel', '/admin/log-in', '/admin/erase']),
  );
  expect([pages.length, forms.length].every((count) => count > 8)).toBe(true);
});

describe('a page runs and loads only our own files', () => {
  it.each(pages)('at $method $path', async (route) => {
    const answer = await ask(route);
    expect(answer.status).toBeLessThan(500);
    await expectPolicy(answer, route.path);
  });

  it.each(pages.filter(({ path }) => path.startsWith('/admin')))(
    'at $path, also for a browser that is signed out',
    async (route) => {
      const answer = await ask(route, { cookie: 'admin=forged' });
      expect(answer.status).toBe(route.path === '/admin' ? 200 : 401);
      await expectPolicy(answer, route.path);
    },
  );

  it.each([...pages, ...forms])('also when $method $path answers an error', async ({ path }) => {
    // No route has this method, so the answer is an error page.
    const refused = await ask({ method: 'DELETE', path });
    expect(refused.status).toBe(405);
    await expectPolicy(refused, path);
  });

  it.each(forms)('also when the form at $path gets invalid input', async (route) => {
    for (const [type, body] of [
      ['application/json', '{}'],
      ['application/x-www-form-urlencoded', 'a=<script>alert(1)</script>&a=2'],
      ['application/x-www-form-urlencoded', `email=${'x'.repeat(20_000)}`],
      [
        'application/x-www-form-urlencoded',
        'email="><script>alert(1)</script>&id="onload=x&packageId=<style>',
      ],
    ] as const) {
      const answer = await ask(route, { 'content-type': type }, body);
      expect(answer.status).toBeLessThan(500);
      await expectPolicy(answer, route.path);
    }
  });

  it.each(['/nothing', '/admin/nothing', '/orders', '/order/x', '/%00', '/docs/', '//evil.example/'])(
    'also when there is nothing at %s',
    async (path) => {
      const answer = await ask({ method: 'GET', path });
      expect(answer.status).toBe(404);
      await expectPolicy(answer, path);
    },
  );
});

describe('a form is accepted from our own pages only', () => {
  const others: [string, Record<string, string>][] = [
    ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['another site that sends only its origin', { origin: 'https://evil.example' }],
    ['another site that hides its origin', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    ['a sandboxed frame', { origin: 'null' }],
    ['another host of this site', { 'sec-fetch-site': 'same-site' }],
    ['our name on another port', { origin: 'http://localhost:1' }],
    ['a name that begins with ours', { origin: 'http://localhost.evil.example' }],
  ];

  describe.each(others)('and refused from %s', (_what, headers) => {
    it.each(forms)('at $path', async (route) => {
      const type = { 'content-type': 'application/x-www-form-urlencoded' };
      const answer = await ask(
        route,
        { ...type, ...headers },
        'confirmed=yes&email=ana@example.com&token=open-sesame',
      );
      expect(answer.status).toBe(403);
      expect(answer.headers.get('set-cookie')).toBeNull();
      await expectPolicy(answer, route.path);
    });
  });

  it.each(forms)('at $path, when our own page sends it', async (route) => {
    const own = { origin: 'http://localhost', 'sec-fetch-site': 'same-origin' };
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await ask(route, { ...type, ...own }, 'a=b')).status).not.toBe(403);
  });
});
