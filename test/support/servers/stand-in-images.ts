import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, cp, mkdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cachedDownload } from './cache.ts';
import type { DockerEngine } from './docker-engine.ts';
import { aptInstall, onPath } from './find.ts';
import { findGoProgram } from './go-program.ts';
import { findMongod } from './mongod-binary.ts';

/*
 * Stand-ins for the base images of Dockerfile and docker-compose.yml, for an engine that has no images and is not to ask
 * a registry for any. All tags name one image: a small Debian with real programs.
 */

const run = promisify(execFile);
const tags = ['node:24-slim', 'mongo:8', 'redis:7-alpine', 'caddy:2-alpine'];
/** The test's images are built on it. */
const debian = 'bookworm';
/** `wget` is for the proxy's health check, libcurl for mongod. */
const debianPackages = ['ca-certificates', 'libcurl4', 'redis-server', 'wget'];
const mongosh = 'mongosh@2.12.0';
const caddyModule = 'github.com/caddyserver/caddy/v2';
const caddy = {
  name: 'caddy',
  module: caddyModule,
  version: 'v2.10.2',
  command: `${caddyModule}/cmd/caddy`,
};
const makeTimeoutMs = 900_000;

/** Gives an engine the images. They are made once, which takes minutes, and kept outside the tree. */
export async function loadStandInImages({ docker }: DockerEngine): Promise<void> {
  const [first = '', ...others] = tags;
  await docker('import', await archive(), first);
  for (const tag of others) await docker('tag', first, tag);
}

/** The archive of the image's files. Another version of what is in it, or of npm's configuration, makes a new one. */
async function archive(): Promise<string> {
  const npm = await npmConfiguration();
  const parts = {
    layout: 1,
    debian,
    debianPackages,
    mongosh,
    caddy: caddy.version,
    node: process.version,
    npm,
  };
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  const name = `base-images-${hash.slice(0, 12)}.tar`;
  const { path } = await cachedDownload(name, async (folder) => {
    const root = join(folder, 'root');
    await makeRoot(root, npm);
    await run('tar', ['-C', root, '-cf', join(folder, name), '.'], { timeout: makeTimeoutMs });
    return join(folder, name);
  });
  return path;
}

interface NpmConfiguration {
  readonly registry: string;
  /** The certificates that npm trusts. Empty: its own. */
  readonly certificates: string;
}

async function npmConfiguration(): Promise<NpmConfiguration> {
  const read = async (name: string) => (await run('npm', ['config', 'get', name])).stdout.trim();
  const [registry, cafile] = [await read('registry'), await read('cafile')];
  const file = cafile === 'null' ? process.env.NODE_EXTRA_CA_CERTS : cafile;
  return { registry, certificates: file ? await readFile(file, 'utf8') : '' };
}

async function makeRoot(root: string, npm: NpmConfiguration): Promise<void> {
  const [mongod, proxy] = await Promise.all([findMongod(), findGoProgram(caddy, 'CADDY_PATH')]);
  await debootstrap(root);
  const programs = join(root, 'usr/local/bin');
  for (const [name, path] of Object.entries({ node: process.execPath, mongod, caddy: proxy })) {
    await copyFile(path, join(programs, name));
    await chmod(join(programs, name), 0o755);
  }
  await addNpm(root, npm);
  const shell = join(root, 'usr/local/lib/mongosh');
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', shell, mongosh], {
    timeout: makeTimeoutMs,
  });
  await symlink('../lib/mongosh/node_modules/.bin/mongosh', join(programs, 'mongosh'));
  // As in the official image, clients at other addresses need no password.
  const redis = '#!/bin/sh\nexec /usr/bin/redis-server --protected-mode no "$@"\n';
  await writeFile(join(programs, 'redis-server'), redis, { mode: 0o755 });
}

async function debootstrap(root: string): Promise<void> {
  if ((await onPath('debootstrap')) === undefined) {
    const why = await aptInstall('debootstrap');
    if (why !== undefined) throw new Error(`There is no debootstrap to make images with: ${why}`);
  }
  const parameters = ['--variant=minbase', `--include=${debianPackages.join()}`, debian, root];
  await run('debootstrap', parameters, { timeout: makeTimeoutMs, maxBuffer: 2 ** 26 });
  for (const folder of ['var/cache/apt/archives', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/locale']) {
    await rm(join(root, folder), { recursive: true, force: true });
    await mkdir(join(root, folder));
  }
}

/** This machine's npm, with its registry: in the image, `npm ci` has to reach the same. */
async function addNpm(root: string, { registry, certificates }: NpmConfiguration): Promise<void> {
  const program = await realpath((await onPath('npm')) ?? '');
  await cp(join(dirname(program), '..'), join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
  const lines = [`registry=${registry}`];
  if (certificates !== '') {
    await writeFile(join(root, 'etc/ssl/npm.pem'), certificates);
    lines.push('cafile=/etc/ssl/npm.pem');
  }
  await writeFile(join(root, 'root/.npmrc'), `${lines.join('\n')}\n`);
}

// Run directly, this file makes the archive before the tests.
if (import.meta.main) console.log(await archive());
