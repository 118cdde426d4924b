import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Assets, createAssets } from './assets.ts';

const css = 'body { color: black }\n'.repeat(100);
let directory: string;
let assets: Assets;
let app: Hono;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'assets-'));
  await writeFile(join(directory, 'app.css'), css);
  await writeFile(
    join(directory, 'app.js'),
    "/*\n * What it does.\n */\n  const a = '/* kept */'; // kept\n  // Why.\n\n  /** b */\n  let b; /* kept */\n",
  );
  await writeFile(join(directory, 'icon.png'), 'not really');
  await writeFile(join(directory, '.secret'), 'hidden');
  assets = createAssets({ directory });
  app = new Hono().route('/', assets.routes);
});

afterAll(() => rm(directory, { recursive: true }));

async function get(path: string, headers: Record<string, string> = {}) {
  const answer = await app.request(path, { headers });
  return { answer, bytes: Buffer.from(await answer.arrayBuffer()) };
}

describe('assets', () => {
  it('are served without the comments that fill their lines', async () => {
    const { bytes } = await get('/assets/app.js');
    expect(bytes.toString()).toBe("  const a = '/* kept */'; // kept\n\n  let b; /* kept */\n");
  });

  it('are all scripts of the pages, which are valid without their comments', async () => {
    const all = createAssets();
    const names = readdirSync(join(import.meta.dirname, '../../public')).filter((name) => /\.js$/.test(name));
    const served = names.map((name) => (name === 'page.js' ? 'page.de.js' : name));
    expect(served).toEqual(expect.arrayContaining(['page.de.js', 'purchase.js', 'result.js']));
    for (const name of served) {
      const script = await (await all.routes.request(`/assets/${name}`)).text();
      expect(() => new Script(script), name).not.toThrow();
      expect(script, name).not.toMatch(/^\s*(?:\/\/|\/?\*)/m);
    }
  });

  it('are cached for ever at a URL with a version, and revalidated at a URL without a version', async () => {
    const { answer, bytes } = await get(assets.url('app.css'));
    expect(bytes.toString()).toBe(css);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(answer.headers.get('content-type')).toBe('text/css; charset=utf-8');
    expect((await get('/assets/app.css')).answer.headers.get('cache-control')).toBe('no-cache');
    expect((await get('/assets/app.css?v=old')).answer.headers.get('cache-control')).toBe('no-cache');
  });

  it('are compressed for clients that accept it', async () => {
    const brotli = await get('/assets/app.css', { 'Accept-Encoding': 'gzip, br' });
    expect(brotli.answer.headers.get('content-encoding')).toBe('br');
    expect(brotliDecompressSync(brotli.bytes).toString()).toBe(css);
    const gzip = await get('/assets/app.css', { 'Accept-Encoding': 'br;q=0, gzip;q=0.5' });
    expect(gzip.answer.headers.get('content-encoding')).toBe('gzip');
    expect(gunzipSync(gzip.bytes).toString()).toBe(css);
    const png = await get('/assets/icon.png', { 'Accept-Encoding': 'br' });
    expect(png.answer.headers.get('content-encoding')).toBe(null);
  });

  it('answer 304 when the ETag matches', async () => {
    const etag = (await get('/assets/app.css')).answer.headers.get('etag') as string;
    expect((await get('/assets/app.css', { 'If-None-Match': etag })).answer.status).toBe(304);
    expect((await get('/assets/app.css', { 'If-None-Match': '"other"' })).answer.status).toBe(200);
  });

  it('include htmx from its package', async () => {
    for (const name of ['htmx.min.js', 'hx-ws.min.js']) {
      const { answer, bytes } = await get(assets.url(name));
      expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
      expect(bytes.length).toBeGreaterThan(5000);
    }
  });

  it.each(['/assets/nothing.js', '/assets/.secret', '/assets/..%2fpackage.json', '/assets/__proto__'])(
    'answer 404 to %s',
    async (path) => {
      expect((await get(path)).answer.status).toBe(404);
    },
  );
});
