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
