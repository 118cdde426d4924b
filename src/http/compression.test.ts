import { gunzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { acceptsEncoding, compressPages } from './compression.ts';

const long = `<p>${'words '.repeat(500)}</p>`;
const app = new Hono()
  .use(compressPages)
  .get('/long', (c) => c.html(long, 422, { 'Set-Cookie': 'a=1' }))
  .get('/short', (c) => c.html('<p>short</p>'))
  .get('/json', (c) => c.json({ long }));

function get(path: string, encoding = 'gzip, br') {
  return app.request(path, { headers: { 'Accept-Encoding': encoding } });
}

describe('compressPages', () => {
  it('compresses a page and keeps its status and headers', async () => {
    const answer = await get('/long');
    expect(answer.status).toBe(422);
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(answer.headers.get('content-type')).toContain('text/html');
    expect(answer.headers.get('set-cookie')).toBe('a=1');
    expect(answer.headers.get('vary')).toBe('Accept-Encoding');
    expect(gunzipSync(await answer.arrayBuffer()).toString()).toBe(long);
  });

  it.each([
    ['for who does not take it', '/long', 'br'],
    ['what is short', '/short', 'gzip'],
    ['what is no page', '/json', 'gzip'],
  ])('does not compress %s', async (_what, path, encoding) => {
    const answer = await get(path, encoding);
    expect(answer.headers.get('content-encoding')).toBe(null);
    expect(await answer.text()).not.toBe('');
  });
});

it.each([
  [undefined, false],
  ['', false],
  ['gzip', true],
  ['br, GZIP;q=0.5', true],
  ['gzip;q=0', false],
  ['gzip; q=0.000', false],
  ['gzipped', false],
])('whether the Accept-Encoding %j accepts gzip: %s', (header, accepts) => {
  expect(acceptsEncoding(header, 'gzip')).toBe(accepts);
});
