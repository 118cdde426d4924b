import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { type Context, Hono } from 'hono';
import { acceptsEncoding } from './compression.ts';
import { inertPolicy } from './json.ts';
import { allowOnly } from './methods.ts';
import { textsOf, textsScript } from './pages/texts/index.ts';
import { languages } from './pages/texts/languages.ts';
import { problem } from './problem.ts';

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};
const alreadyCompressed: ReadonlySet<string> = new Set(['.png', '.ico', '.woff2']);

/**
 * Larger files get a lower Brotli level. The highest level takes seconds for a megabyte and saves only a tenth more.
 */
const hardBytesMax = 256 * 1024;

interface Asset {
  readonly type: string;
  /** A hash of the content, used as its version. */
  readonly hash: string;
  /**
   * Returns the content in an encoding. The content is compressed at the first request for that encoding, and then
   * cached.
   */
  readonly encoded: (encoding: Encoding) => Promise<Buffer<ArrayBuffer>>;
  readonly encodings: readonly Encoding[];
}

type Encoding = 'br' | 'gzip' | 'identity';

export interface Assets {
  /** The route `GET /assets/:name`. */
  readonly routes: Hono;
  /**
   * Returns the URL of an asset. The URL contains a version, so browsers may cache the asset for ever.
   * @throws Error for an unknown name.
   */
  readonly url: (name: string) => string;
}

interface AssetsOptions {
  readonly directory?: string;
  /** Whether to serve also the files of the operators' pages. Default: true. */
  readonly hasAdmin?: boolean;
}

/**
 * Serves the files of `public/`, without their comments, and htmx and Swagger UI from their packages. page.js is served as
 * `page.en.js` and so on.
 * All are read once, at the start. Hono's `serveStatic` would compress a file at each request, and has no versions in
 * URLs.
 */
export function createAssets({
  directory = join(import.meta.dirname, '../../public'),
  hasAdmin = true,
}: AssetsOptions = {}): Assets {
  const served = [...filesOf(directory).flatMap(inLanguages), ...packagedFiles()].filter(
    ({ name }) => hasAdmin || !name.startsWith('admin.'),
  );
  const assets = new Map(served.map((file) => [file.name, toAsset(file)] as const));
  return {
    url(name) {
      const asset = assets.get(name);
      if (!asset) throw new Error(`there is no asset ${name}`);
      return `/assets/${name}?v=${asset.hash}`;
    },
    routes: new Hono()
      .get('/assets/:name', (c) => {
        const asset = assets.get(c.req.param('name'));
        return asset ? send(c, asset) : problem(c, 'unknown_route');
      })
      .all('/assets/:name', allowOnly('GET')),
  };
}

interface SourceFile {
  readonly name: string;
  readonly content: Buffer<ArrayBuffer>;
}

function filesOf(directory: string): SourceFile[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile() && Object.hasOwn(types, extname(entry.name)))
    .map(({ name }) => ({ name, content: withoutComments(name, readFileSync(join(directory, name))) }));
}

/** A comment that fills its lines. */
const commentLines = /^[ \t]*(?:\/\/[^\n]*|\/\*[\s\S]*?\*\/)[ \t]*\n/gm;

/** Removes the comments of a script or a style sheet. Compressed, they are a fifth of what a browser would load. */
function withoutComments(name: string, content: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
  if (extname(name) !== '.js' && extname(name) !== '.css') return content;
  return Buffer.from(content.toString().replace(commentLines, ''));
}

/** Files that are served directly from `node_modules`. */
function packagedFiles(): SourceFile[] {
  const require = createRequire(import.meta.url);
  const htmx = dirname(require.resolve('htmx.org/dist/htmx.min.js'));
  const swaggerUi = dirname(require.resolve('swagger-ui-dist/swagger-ui-bundle.js'));
  return [
    { name: 'htmx.min.js', content: readFileSync(join(htmx, 'htmx.min.js')) },
    { name: 'hx-ws.min.js', content: readFileSync(join(htmx, 'ext/hx-ws.min.js')) },
    { name: 'swagger-ui-bundle.js', content: readFileSync(join(swaggerUi, 'swagger-ui-bundle.js')) },
    { name: 'swagger-ui.css', content: readFileSync(join(swaggerUi, 'swagger-ui.css')) },
  ];
}

/**
 * The file itself, or page.js once for each language, after the texts of all scripts. Both are one file, because no script
 * works without either, and on a bad connection one of two files is lost more often.
 */
function inLanguages(file: SourceFile): SourceFile[] {
  if (file.name !== 'page.js') return [file];
  return languages.map((language) => ({
    name: `page.${language}.js`,
    content: Buffer.concat([Buffer.from(textsScript(textsOf(language))), file.content]),
  }));
}

function toAsset({ name, content }: SourceFile): Asset {
  const cached = new Map<Encoding, Promise<Buffer<ArrayBuffer>>>();
  return {
    type: types[extname(name)] as string,
    hash: createHash('sha256').update(content).digest('base64url').slice(0, 12),
    encodings: alreadyCompressed.has(extname(name)) ? ['identity'] : ['br', 'gzip', 'identity'],
    encoded(encoding) {
      const encoded = cached.get(encoding) ?? encode(content, encoding);
      cached.set(encoding, encoded);
      return encoded;
    },
  };
}

async function encode(content: Buffer<ArrayBuffer>, encoding: Encoding): Promise<Buffer<ArrayBuffer>> {
  if (encoding === 'identity') return content;
  const encoded =
    encoding === 'gzip'
      ? await promisify(gzip)(content, { level: 9 })
      : await promisify(brotliCompress)(content, {
          params: { [constants.BROTLI_PARAM_QUALITY]: content.length > hardBytesMax ? 5 : 11 },
        });
  return Buffer.from(encoded);
}

async function send(c: Context, asset: Asset): Promise<Response> {
  const accepted = c.req.header('accept-encoding');
  const encoding =
    asset.encodings.find((name) => name === 'identity' || acceptsEncoding(accepted, name)) ?? 'identity';
  const etag = `"${asset.hash}-${encoding}"`;
  const headers = {
    'Cache-Control': c.req.query('v') === asset.hash ? 'public, max-age=31536000, immutable' : 'no-cache',
    ETag: etag,
    Vary: 'Accept-Encoding',
    'Content-Security-Policy': inertPolicy,
    'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Resource-Policy': 'same-origin',
  };
  if ((c.req.header('if-none-match') ?? '').includes(etag)) return c.body(null, 304, headers);
  return c.body(await asset.encoded(encoding), 200, {
    ...headers,
    'Content-Type': asset.type,
    ...(encoding === 'identity' ? {} : { 'Content-Encoding': encoding }),
  });
}
