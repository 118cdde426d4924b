import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { orderIdInPath, redactedPath, requestIdOf } from './log-fields.ts';
import { routeNames } from './observe-requests.ts';

describe('the id of a request', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  test('is its X-Request-Id, else its trace id, else a new one that stays the same', () => {
    expect(requestIdOf({ headers: { 'x-request-id': 'abc-12345', traceparent } })).toBe('abc-12345');
    expect(requestIdOf({ headers: { traceparent } })).toBe('0af7651916cd43dd8448eb211c80319c');
    const request = { headers: {} };
    expect(requestIdOf(request)).toMatch(/^[\da-f-]{36}$/);
    expect(requestIdOf(request)).toBe(requestIdOf(request));
    expect(requestIdOf({ headers: {} })).not.toBe(requestIdOf(request));
  });

  test.each([
    'short',
    'x'.repeat(129),
    'with blanks in it',
    'ana@example.com',
    'ana%40example.com',
    'two-of-them, at-once',
    '{"level":"error"}',
    'quoted"quoted"',
  ])('ignores the malformed X-Request-Id %j', (id) => {
    expect(requestIdOf({ headers: { 'x-request-id': id } })).toMatch(/^[\da-f-]{36}$/);
  });

  test.each([`00-${'0'.repeat(32)}-b7ad6b7169203331-01`, traceparent.toUpperCase(), 'nonsense'])(
    'invalid trace: %s',
    (other) => {
      expect(requestIdOf({ headers: { traceparent: other } })).toMatch(/^[\da-f-]{36}$/);
    },
  );
});

describe('a path in a log line', () => {
  test.each([
    ['/api/orders/7Q4M-9XKD-2VBN-H5TR?email=a@b.example', '/api/orders/7Q4M-9XKD-2VBN-H5TR'],
    ['/orders/a@b.example/cancel', '/orders/(hidden)/cancel'],
    ['/orders/a%40b.example', '/orders/(hidden)'],
    ['/x#a@b.example', '/x'],
    ['http://host/order?x', 'http://host/order'],
    ['', ''],
  ])('of %s is shown as %s', (url, shown) => {
    expect(redactedPath(url)).toBe(shown);
  });

  test('is limited in length', () => {
    expect(redactedPath(`/${'a'.repeat(5_000)}`).length).toBeLessThanOrEqual(200);
  });

  test('contains its order’s id', () => {
    expect(orderIdInPath('/api/orders/7q4m-9xkd-2vbn-h5tr/cancel')).toEqual({
      orderId: '7Q4M-9XKD-2VBN-H5TR',
    });
    expect(orderIdInPath('/api/orders/7q4m')).toEqual({});
  });
});

describe('the name of a route', () => {
  const any = () => new Response();
  const app = new Hono()
    .get('/api/orders', any)
    .get('/api/orders/:id', any)
    .get('/api/orders/:id/cancel', any)
    .get('/', any)
    .use('*', async (_c, next) => next())
    .all('/api/*', any);
  const nameOf = routeNames(app);

  test.each([
    ['/api/orders', '/api/orders'],
    ['/api/orders?a=b', '/api/orders'],
    ['/api/orders/x', '/api/orders/:id'],
    ['/api/orders/x/cancel?y', '/api/orders/:id/cancel'],
    ['/', '/'],
    ['/api/orders/x/y', 'other'],
    ['/api/orders/', '/api/orders/:id'],
    ['/wp-login.php', 'other'],
    ['*', 'other'],
    ['', 'other'],
  ])('of %s is %s', (url, name) => {
    expect(nameOf(url)).toBe(name);
  });
});
