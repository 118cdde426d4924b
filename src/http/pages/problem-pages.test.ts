import { gunzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { expect, it, vi } from 'vitest';
import { fakeNow } from '../../../test/support/fake-engine.ts';
import { compressPages } from '../compression.ts';
import { showProblemPage } from './problem-pages.ts';
import type { PageServices } from './responses.ts';

function pages() {
  let now = fakeNow;
  const assetUrl = vi.fn((name: string) => `/assets/${name}`);
  const deps = {
    clock: { now: () => now },
    settings: { currency: 'USD' },
    assetUrl,
  } as unknown as PageServices;
  const send = showProblemPage(deps);
  const app = new Hono()
    .use(compressPages)
    .get('/limited', (c) => send(c, 'rate_limited', { retryAfterS: 7 }))
    .get('/limited-longer', (c) => send(c, 'rate_limited', { retryAfterS: 3_000 }))
    .get('/full', (c) => send(c, 'overloaded'))
    .get('/other', (c) => send(c, 'internal'));
  const get = (path: string, encoding = 'gzip', language = 'en') =>
    app.request(path, { headers: { 'Accept-Encoding': encoding, 'Accept-Language': language } });
  const wait = (ms: number) => {
    now += ms;
  };
  return { get, assetUrl, wait };
}

it('sends cached pages with the same headers as others, compressed for clients that accept it', async () => {
  const { get } = pages();
  for (const encoding of ['gzip', 'identity', 'gzip']) {
    const answer = await get('/limited', encoding);
    const { headers } = answer;
    const bytes = Buffer.from(await answer.arrayBuffer());
    const isCompressed = encoding === 'gzip';
    const text = (isCompressed ? gunzipSync(bytes) : bytes).toString();
    expect(text).toContain('>Too many requests at once.<');
    expect(text).toContain('Reload this page in 7 seconds');
    expect([answer.status, headers.get('retry-after'), headers.get('cache-control')]).toEqual([
      429,
      '7',
      'no-store',
    ]);
    expect(headers.get('content-encoding')).toBe(isCompressed ? 'gzip' : null);
    expect(headers.get('content-type')).toBe('text/html; charset=UTF-8');
    expect(headers.get('vary')).toBe('Accept-Language, Accept-Encoding');
  }
  const full = await get('/full', 'identity');
  expect([full.status, full.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await full.text()).toContain('Reload this page in 1 second.');
  expect(await (await get('/limited-longer', 'identity')).text()).toContain('Reload this page in 50 minutes');
  expect(full.headers.get('x-request-id')).not.toBe(null);
});

it('sends each language its own cached page', async () => {
  const { get } = pages();
  const titleOf = async (language: string) =>
    /<h1[^>]*>([^<]*)</.exec(await (await get('/limited', 'identity', language)).text())?.[1];
  for (let visit = 0; visit < 2; visit++) {
    expect(await titleOf('en')).toBe('Please wait a moment');
    expect(await titleOf('de')).toBe('Bitte warten Sie einen Moment');
  }
});

it('renders the page of a frequent error once a second, and other pages for each request', async () => {
  const { get, assetUrl, wait } = pages();
  const drawnBy = async (path: string) => {
    assetUrl.mockClear();
    await get(path);
    return assetUrl.mock.calls.length > 0;
  };
  expect([await drawnBy('/limited'), await drawnBy('/limited'), await drawnBy('/full')]).toEqual([
    true,
    false,
    true,
  ]);
  wait(1_000);
  expect([await drawnBy('/limited'), await drawnBy('/limited')]).toEqual([true, false]);
  expect([await drawnBy('/other'), await drawnBy('/other')]).toEqual([true, true]);
});
