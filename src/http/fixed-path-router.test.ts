import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { TrieRouter } from 'hono/router/trie-router';
import { expect, it } from 'vitest';
import { FixedPathRouter } from './fixed-path-router.ts';

const routes = [
  ['ALL', '*'],
  ['POST', '/orders'],
  ['ALL', '/orders'],
  ['GET', '/orders/:id'],
  ['POST', '/orders/search'],
  ['ALL', '/orders/*'],
  ['GET', '/files/:name{[a-z]+}'],
] as const;

it('finds the same handlers as the router of Hono, each time', () => {
  const [general, remembering] = [new TrieRouter<string>(), new FixedPathRouter<string>()];
  for (const router of [general, remembering]) {
    for (const [method, path] of routes) router.add(method, path, `${method} ${path}`);
  }
  const paths = [
    '/',
    '/orders',
    '/orders/',
    '/orders/7',
    '/orders/search',
    '/files/a',
    '/files/1',
    '/nothing',
  ];
  for (const path of [...paths, ...paths]) {
    for (const method of ['GET', 'POST', 'PUT']) {
      expect(remembering.match(method, path)).toEqual(general.match(method, path));
    }
  }
  expect(remembering.match('POST', '/orders')[0].map(([handler]) => handler)).toEqual([
    'ALL *',
    'POST /orders',
    'ALL /orders',
    'ALL /orders/*',
  ]);
});

it('finds no handler behind one that cannot pass the request on', async () => {
  const app = new Hono({ router: new FixedPathRouter() });
  const before: MiddlewareHandler = async (c, next) => {
    c.header('Before', 'yes');
    await next();
  };
  const answer = (c: Context) => c.text(`answer ${c.req.param('id') ?? ''}`);
  app.use('/orders/*', before);
  for (const path of ['/orders', '/orders/:id'])
    app.post(path, answer).all(path, (c) => c.text('other', 405));
  app.use(async (_c, next) => next());
  const router = app.router as FixedPathRouter<unknown>;
  for (const [path, id] of [
    ['/orders', ''],
    ['/orders/7', '7'],
  ]) {
    for (let time = 0; time < 2; time++) {
      const found = await app.request(path as string, { method: 'POST' });
      expect(await found.text()).toBe(`answer ${id}`);
      expect(found.headers.get('Before')).toBe('yes');
      expect(router.match('POST', path as string)[0]).toHaveLength(2);
      expect((await app.request(path as string, { method: 'PUT' })).status).toBe(405);
    }
  }
  expect(router.match('POST', '/nothing')[0]).toHaveLength(1);
});
