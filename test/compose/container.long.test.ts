import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join, matchesGlob, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buy } from '../support/api-client.ts';
import { type NodeProcess, startNodeProcess } from '../support/node-process.ts';

/* The image without a Docker engine: checks its Dockerfile and runs its files as the image would. */

const root = join(import.meta.dirname, '../..');
const read = (name: string) => readFileSync(join(root, name), 'utf8');
const recipe = read('Dockerfile')
  .replaceAll(/^\s*#.*\n/gm, '')
  .replaceAll('\\\n', '')
  .trim()
  .split('\n')
  .map((line) => /^(?<name>[A-Z]+) +(?<rest>.*)$/.exec(line)?.groups as { name: string; rest: string });
const said = (name: string) => recipe.filter((line) => line.name === name).map(({ rest }) => rest);

/** The files of the build context: `.dockerignore` excludes everything and then includes these again. */
function shippedFiles(): string[] {
  const rules = read('.dockerignore').trim().split('\n');
  expect(rules[0]).toBe('*');
  const lets = rules.filter((rule) => rule.startsWith('!')).map((rule) => rule.slice(1));
  const leavesOut = rules.slice(1).filter((rule) => !rule.startsWith('!'));
  const under = (path: string, rule: string) => path === rule || path.startsWith(`${rule}/`);
  return lets
    .flatMap((name) =>
      statSync(join(root, name)).isDirectory()
        ? readdirSync(join(root, name), { recursive: true, encoding: 'utf8' }).map((path) => join(name, path))
        : [name],
    )
    .filter((path) => statSync(join(root, path)).isFile())
    .filter((path) => !leavesOut.some((rule) => under(path, rule) || matchesGlob(path, rule)));
}

const shipped = shippedFiles();

describe('the image', () => {
  it('runs as a numeric user other than root that owns only the volume', () => {
    expect(said('USER')).toEqual(['1000:1000']);
    const names = recipe.map(({ name }) => name);
    expect(names.slice(names.indexOf('USER'))).toEqual(['USER', 'VOLUME', 'EXPOSE', 'HEALTHCHECK', 'CMD']);
    expect(said('COPY').join()).not.toContain('--chown');
    const [volume] = said('VOLUME');
    expect(said('RUN').filter((line) => line.includes('chown'))).toEqual([
      `mkdir ${volume} && chown 1000:1000 ${volume} && chmod 700 ${volume}`,
    ]);
    expect(said('ENV').join()).toContain(`DATABASE_URL=sqlite:${volume}/`);
  });

  it('contains only the files that it runs: no history, tests or secrets', () => {
    expect(said('COPY').every((line) => !/^\.|--from| \. /.test(line))).toBe(true);
    expect([...said('ENV'), ...said('ARG')].join()).not.toMatch(/SECRET|TOKEN|PASSWORD|mongodb:|redis:/);
    expect(shipped).toEqual(expect.arrayContaining(['package-lock.json', 'src/start.mjs', 'public/app.css']));
    expect(shipped.filter((path) => /\.test\.|testing|\.env|\.git|screenshots|\.db\b/.test(path))).toEqual(
      [],
    );
    const bytes = shipped.reduce((sum, path) => sum + statSync(join(root, path)).size, 0);
    expect(bytes).toBeLessThan(5_000_000);
  });

  it('runs no install scripts of packages and needs none', () => {
    const [install = ''] = said('RUN');
    for (const word of ['npm ci', '--omit=dev', '--ignore-scripts']) expect(install).toContain(word);
  });

  it('contains every package and file that it imports', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    const missing = shipped
      .filter((path) => /\.(ts|mjs)$/.test(path))
      .flatMap((path) => {
        const imports = read(path).matchAll(/^(?:import|export) (?!type\b)[^;]*? from '([^'.][^']*)'/gm);
        const loaded = read(path).matchAll(/\bimport\('([^'.][^']*)'\)/g);
        return [...imports, ...loaded].map(([, name = '']) => ({ path, name }));
      })
      .filter(({ name }) => {
        const [scope = '', rest = ''] = name.split('/');
        const owner = scope.startsWith('@') ? `${scope}/${rest}` : scope;
        return !name.startsWith('node:') && !builtinModules.includes(name) && !(owner in dependencies);
      });
    expect(missing).toEqual([]);
    const lost = shipped
      .filter((path) => /\.(ts|mjs)$/.test(path))
      .flatMap((path) =>
        [...read(path).matchAll(/^(?:import|export) (?!type\b)[^;]*? from '(\.[^']*)'/gm)].map(
          ([, to = '']) => relative(root, join(root, path, '..', to)),
        ),
      )
      .filter((path) => !shipped.includes(path));
    expect(lost).toEqual([]);
  });
});

describe('docker-compose.yml', () => {
  const lines = read('docker-compose.yml').split('\n');
  const at = (line: string) => lines.slice(lines.indexOf(line) + 1);
  const block = (line: string, indent: number) => {
    const rest = at(line);
    const end = rest.findIndex((each) => each.trim() !== '' && each.search(/\S/) <= indent);
    return rest.slice(0, end < 0 ? undefined : end);
  };
  const services = block('services:', 0)
    .map((line) => /^ {2}([\w-]+):$/.exec(line)?.[1])
    .filter((name) => name !== undefined);

  it('drops all capabilities of our image', () => {
    expect(block('x-app: &app', 0).map((line) => line.trim())).toEqual(
      expect.arrayContaining(['read_only: true', 'tmpfs: [/tmp]', 'cap_drop: [ALL]']),
    );
    for (const name of ['suppliers', 'app', 'consumer']) {
      const own = block(`  ${name}:`, 2).join('\n');
      expect(own, name).toMatch(/^ {4}<<: \[?\*app/m);
      expect(own, name).not.toMatch(/read_only|cap_add|privileged|^ {4}user:|security_opt/m);
    }
    for (const name of services) {
      const own = block(`  ${name}:`, 2).join('\n');
      const inherited = /\*app/.test(own) ? block('x-app: &app', 0).join('\n') : '';
      expect(own + inherited, name).toContain('no-new-privileges:true');
    }
  });

  it('publishes only the proxy, which reaches only the instances', () => {
    const open = services.filter((name) => block(`  ${name}:`, 2).some((line) => /^ {4}ports:/.test(line)));
    expect(open).toEqual(['proxy']);
    const networksOf = (name: string) =>
      block(`  ${name}:`, 2).find((line) => line.startsWith('    networks:')) ??
      block('x-app: &app', 0).find((line) => line.startsWith('  networks:'));
    const inFront = services.filter((name) => networksOf(name)?.includes('front'));
    expect(inFront).toEqual(['app', 'proxy']);
    expect(networksOf('proxy')?.trim()).toBe('networks: [front]');
    expect(block('  inside:', 2).map((line) => line.trim())).toContain('internal: true');
    // By default only on this machine.
    expect(block('  proxy:', 2).join('\n')).toMatch(
      /^ {4}ports: \['\$\{PUBLISH:-127\.0\.0\.1:\d+\}:8080'\]$/m,
    );
  });
});

describe('its files, read-only and run by an unprivileged user', { timeout: 60_000 }, () => {
  /**
   * The server's uid: `nobody` if the test runs as root and `nobody` can read node_modules; otherwise undefined (the
   * current user).
   */
  const uid = nobodyIfPossible();
  let folder: string;
  let volume: string;
  let server: NodeProcess;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ticket-booking-image-'));
    volume = join(folder, 'data');
    for (const path of shipped) cpSync(join(root, path), join(folder, 'app', path));
    symlinkSync(join(root, 'node_modules'), join(folder, 'app/node_modules'));
    await mkdir(volume, { mode: 0o700 });
    if (uid !== undefined) chownSync(volume, uid, uid);
    chmodAll(join(folder, 'app'), 'read-only');
    chmodSync(folder, 0o755);
    server = await startNodeProcess({
      program: 'src/start.mjs',
      ...place(),
      settings: { ...settings(), PORT: '0', HOST: '127.0.0.1' },
      ready: /listens on (http:\S+)/,
    });
  });
  afterAll(async () => {
    if (server?.isRunning) await server.end('SIGKILL');
    chmodAll(join(folder, 'app'), 'writable');
    await rm(folder, { recursive: true, force: true });
  });

  const place = () => ({ folder: join(folder, 'app'), ...(uid === undefined ? {} : { uid }) });
  const settings = () => ({
    NODE_ENV: 'production',
    DATABASE_URL: `sqlite:${join(volume, 'booking.db')}`,
    FLIGHT_FAILURE_RATE: '0',
  });

  it('sell, show pages, and write only to the volume', async () => {
    const origin = server.match[1] as string;
    expect((await buy(origin, 1)).status).toBe(201);
    for (const path of ['/order', '/docs', '/assets/swagger-ui-bundle.js', '/openapi.json', '/readyz']) {
      expect((await fetch(origin + path)).status, path).toBe(200);
    }
    expect(readdirSync(volume).sort()).toEqual(expect.arrayContaining(['booking.db', 'booking.db-wal']));
    expect(contents(join(folder, 'app'))).toEqual([...shipped].sort());
  });

  it('pass the health check of the image, which needs only Node', async () => {
    const [, command = ''] = /CMD (\[.*\])$/.exec(said('HEALTHCHECK')[0] ?? '') ?? [];
    const [program, ...parameters] = JSON.parse(command) as string[];
    expect(program).toBe('node');
    const { port } = new URL(server.match[1] as string);
    const check = (PORT: string) =>
      promisify(execFile)(process.execPath, parameters, { env: { PORT } }).then(
        () => 'healthy',
        () => 'unhealthy',
      );
    expect([await check(port), await check('1')]).toEqual(['healthy', 'unhealthy']);
  });

  it('can be audited beside the server and stop on SIGTERM', async () => {
    const audit = await startNodeProcess({
      program: 'src/commands/audit.ts',
      ...place(),
      settings: settings(),
      ready: /nothing is wrong/,
    });
    expect(await audit.ended).toBe(0);
    expect(await server.end('SIGTERM')).toBe(0);
  });
});

function nobodyIfPossible(): number | undefined {
  const nobody = 65_534;
  if (process.getuid?.() !== 0) return undefined;
  const looks = ['-e', 'require("node:fs").readdirSync("node_modules/hono")'];
  const { status } = spawnSync(process.execPath, looks, { cwd: root, uid: nobody, gid: nobody });
  return status === 0 ? nobody : undefined;
}

function chmodAll(folder: string, to: 'read-only' | 'writable'): void {
  const bits = to === 'read-only' ? { folder: 0o555, file: 0o444 } : { folder: 0o755, file: 0o644 };
  if (to === 'writable') chmodSync(folder, bits.folder);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) chmodAll(path, to);
    else if (entry.isFile()) chmodSync(path, bits.file);
  }
  chmodSync(folder, bits.folder);
}

/** Every file except node_modules. */
function contents(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => !path.startsWith('node_modules'))
    .sort();
}
