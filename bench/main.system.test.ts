import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { environmentOf, type NodeProcess, startNodeProcess } from '../test/support/node-process.ts';
import { resultsOf } from './report/fixture.ts';
import { readResults } from './report/index.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ticket-booking-bench-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the bench with a temporary folder of its own. */
async function bench(line: string, stopOn?: RegExp): Promise<Ended> {
  const child = spawn(process.execPath, ['bench/main.ts', ...line.split(' '), '--out', join(folder, 'out')], {
    cwd: root,
    env: environmentOf({ TMPDIR: folder }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      const before = output[name];
      output[name] += text;
      if (stopOn?.test(output[name]) && !stopOn.test(before)) child.kill('SIGINT');
    });
  }
  await once(child, 'close');
  return { code: child.exitCode, ...output };
}

/** The command lines that contain this text. */
async function processesOf(text: string): Promise<string[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const lines = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(lines)).filter((line) => line.includes(text));
}

const leftBehind = async () => (await readdir(folder)).filter((name) => name.startsWith('ticket-booking'));

describe('bench on this machine', () => {
  it('measures, audits, writes its results and leaves no files behind', async () => {
    const { code, stdout, stderr } = await bench(
      '--quick --scenario look-ups --only actor-sqlite --rounds 2 --seconds 0.2',
    );
    expect(stderr).toContain('round 2 of 2');
    expect(stdout).toContain('Look-ups');
    expect(code).toBe(0);
    const { scenarios, goals, mode } = await readResults(join(folder, 'out/latest.json'));
    expect(mode).toBe('quick');
    expect(goals.length).toBeGreaterThan(20);
    const runs = scenarios[0]?.contestants[0]?.runs ?? [];
    expect(runs.map(({ audit }) => audit.verdict)).toEqual(['clean', 'clean']);
    expect(runs[0]?.figures.lookedUp).toBeGreaterThan(0);
    expect(await readFile(join(folder, 'out/report.html'), 'utf8')).toContain('Look-ups');
    expect(await leftBehind()).toEqual([]);
  });

  it('sells with webhooks on, and tells how many were delivered and how many are owed', async () => {
    const { code, stdout } = await bench(
      '--quick --scenario hot-package --only actor-sqlite-notices --seconds 0.2',
    );
    expect(stdout).toContain('webhooks owed at the end');
    expect(stdout).toContain('stores the webhook that it owes');
    expect(code).toBe(0);
    const { scenarios } = await readResults(join(folder, 'out/latest.json'));
    const runs = scenarios[0]?.contestants[0]?.runs ?? [];
    expect(runs.map(({ audit }) => audit.verdict)).toEqual(['clean', 'clean']);
    expect(runs[0]?.figures.webhooksPerSecond).toBeGreaterThan(0);
    expect(runs[1]?.figures.webhooksOwed).toBeGreaterThanOrEqual(0);
  });

  it('profiles the servers with --cpu-prof, and judges no goals by slower servers', async () => {
    const { code, stderr } = await bench(
      `--quick --scenario look-ups --only actor-sqlite --seconds 0.5 --cpu-prof ${join(folder, 'profiles')}`,
    );
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const { scenarios, goals } = await readResults(join(folder, 'out/latest.json'));
    expect(goals).toEqual([]);
    expect(scenarios[0]?.contestants[0]?.runs[0]?.profile).toMatchObject({ 'src/http': expect.any(Number) });
    expect(await readFile(join(folder, 'out/report.html'), 'utf8')).toContain('CPU time of the servers');
    expect(await readdir(join(folder, 'profiles'))).toEqual(['001-actor-sqlite.cpuprofile']);
  });

  it('stops at Ctrl-C and leaves no files behind', async () => {
    const { code, stderr } = await bench(
      '--quick --scenario look-ups --only actor-sqlite --seconds 60',
      /measuring/,
    );
    expect(stderr).toContain('stopping');
    expect(code).toBe(130);
    expect(await leftBehind()).toEqual([]);
  });

  it("stops at Ctrl-C during a server's start and leaves no process behind", async () => {
    const { code } = await bench('--quick --scenario hot-package --only actor-mongodb', /starting MongoDB/);
    expect(code).toBe(130);
    expect(await leftBehind()).toEqual([]);
    expect(await processesOf(folder)).toEqual([]);
  });

  it('refuses to compare results that have nothing in common', async () => {
    const results = (scenarios: readonly object[]) =>
      JSON.stringify(resultsOf({ scenarios, goals: [] } as never));
    const [a, b] = [join(folder, 'a.json'), join(folder, 'b.json')];
    await writeFile(a, results(resultsOf().scenarios.slice(0, 1)));
    await writeFile(b, results(resultsOf().scenarios.slice(-1)));
    const { code, stderr } = await bench(`--compare ${a} ${b}`);
    expect(stderr).toContain('have nothing in common');
    expect(code).toBe(2);
    expect((await bench(`--compare ${a} ${a}`)).code).toBe(0);
  });

  it('explains a wrong argument in one line', async () => {
    const { code, stderr } = await bench('--scenario nope');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^there is no scenario 'nope': hot-package, .*\nSee npm run bench -- --help\n$/);
  });
});

const adminToken = 'an-operator-of-the-bench';

describe('bench against a deployment', () => {
  let server: NodeProcess;
  let origin: string;

  beforeAll(async () => {
    server = await startNodeProcess({
      program: 'src/main.ts',
      settings: {
        DATABASE_URL: `sqlite:${join(folder, 'booking.db')}`,
        HOST: '127.0.0.1',
        PORT: '0',
        LOG_LEVEL: 'warn',
        RATE_LIMIT: 'off',
        ADMIN_TOKEN: adminToken,
      },
      ready: /listens on (?<url>http:\S+)/,
    });
    origin = server.match.groups?.url as string;
  });
  afterAll(async () => {
    await server.end('SIGTERM');
  });

  const confirmed = async () => {
    const { packages } = (await (await fetch(`${origin}/api/packages`)).json()) as {
      packages: { quota: number; remaining: number }[];
    };
    return packages.reduce((sum, { quota, remaining }) => sum + quota - remaining, 0);
  };

  it('buys only its own package without --spend', async () => {
    for (const line of [`--targets ${origin}`, `--targets ${origin} --package 1`]) {
      const { code, stderr } = await bench(`${line} --duration 300ms`);
      expect(stderr).toMatch(/--read-only/);
      expect(code).toBe(2);
    }
    expect(await confirmed()).toBe(0);
  });

  it('--read-only only looks packages up; assertions are evaluated on these look-ups', async () => {
    const line = `--targets ${origin} --read-only --rate 50 --duration 500ms`;
    const held = await bench(`${line} --assert p50<10s --assert errors<=0 --assert answered>10`);
    expect(held.stdout).toMatch(/holds {2}p50<10s/);
    expect(held.code).toBe(0);
    const failed = await bench(`${line} --assert p50<10s --assert max<0.001ms`);
    expect(failed.stdout).toMatch(/FAILS {2}max<0.001ms/);
    expect(failed.code).toBe(1);
    expect(await confirmed()).toBe(0);
    const { mode, scenarios } = await readResults(join(folder, 'out/latest.json'));
    expect(mode).toBe('targets');
    const [measured] = scenarios[0]?.contestants[0]?.runs ?? [];
    expect(Object.keys(measured?.answers ?? {})).toEqual(['200']);
    expect(Object.keys(measured?.figures ?? {})).toEqual(['answered']);
    expect(held.stdout).not.toContain('purchases finished');
    const written = JSON.parse(await readFile(join(folder, 'out/latest.json'), 'utf8'));
    expect(written.assertions).toEqual([
      { text: 'p50<10s', held: true },
      { text: 'max<0.001ms', held: false },
    ]);
    expect(scenarios[0]?.notes.join()).toContain('FAILS  max<0.001ms');
  });

  it('fails all assertions when every answer is an error', async () => {
    const limited = createServer((request, response) => {
      if (request.url?.startsWith('/api/packages')) response.end('{"id":1,"packages":[{"id":1}]}');
      else response.writeHead(429).end('{"code":"rate_limited"}');
    }).listen(0, '127.0.0.1');
    await once(limited, 'listening');
    const { port } = limited.address() as AddressInfo;
    const line = `--targets http://127.0.0.1:${port} --package 1 --spend --rate 50 --duration 300ms`;
    const { code, stdout } = await bench(`${line} --assert p99<10s --assert errors<=0`);
    const unusable = await bench(line.replace('300ms', '1500ms'));
    const allowed = await bench(`${line} --allow-429`);
    limited.close().closeAllConnections();
    expect(stdout).toMatch(/FAILS {2}p99<10s/);
    expect(stdout).toMatch(/FAILS {2}errors<=0/);
    expect(stdout).toMatch(/429 rate_limited {2}\(an error\)/);
    expect(stdout).toMatch(/0\/s finished, error rate 100 %/);
    expect(code).toBe(1);
    // The advice is printed as soon as the first 429 comes, and again in the summary.
    expect(unusable.stderr).toContain('RATE_LIMIT=off npm run cluster');
    expect(unusable.stdout).toMatch(/100 % of the answers are 429\. NOT USABLE/);
    // The headline says so too, because it is the first line of the report.
    expect(unusable.stdout).toMatch(/offered, .*\. NOT USABLE: 100 % of the answers are 429\.\n/);
    expect(allowed.stdout).not.toContain('NOT USABLE');
    expect(unusable.code).toBe(1);
    expect(allowed.stdout).toContain('RATE_LIMIT=off npm run cluster');
    expect(allowed.code).toBe(0);
  });

  it.each([
    ['at its end', '--rate 50 --duration 500ms', undefined, 0],
    ['after Ctrl-C in the warm-up', '--rate 50 --duration 60s', /sent/, 130],
    ['after Ctrl-C', '--stages 50:4s,90:1s', /sent/, 130],
  ] as const)('archives its own package %s', async (_when, line, stopOn, exitCode) => {
    const asked: string[] = [];
    const own = createServer((request, response) => {
      request.resume();
      const { method, url = '' } = request;
      if (url.startsWith('/api/admin')) asked.push(`${method} ${url}`);
      const audit = '{"ok":true,"packages":1,"orders":2,"reservations":3,"inMotion":[],"findings":[]}';
      if (url === '/api/packages') response.end('{"packages":[]}');
      else if (url === '/api/admin/audit') response.end(audit);
      else if (url === '/api/orders') response.writeHead(502).end('{"code":"supplier_failed"}');
      else response.writeHead(method === 'POST' ? 201 : 200).end('{"id":7,"version":1}');
    }).listen(0, '127.0.0.1');
    await once(own, 'listening');
    const { port } = own.address() as AddressInfo;
    const options = `${line} --admin-token a-token --header X-Secret:hush`;
    const { code, stdout, stderr } = await bench(`--targets http://127.0.0.1:${port} ${options}`, stopOn);
    own.close().closeAllConnections();
    expect(stderr).toContain('Package 7, made for this bench, is archived.');
    expect(code).toBe(exitCode);
    const isWhole = stopOn === undefined;
    expect(asked).toEqual([
      'POST /api/admin/packages',
      'PATCH /api/admin/packages/7',
      'GET /api/admin/packages/7',
      ...(isWhole ? ['GET /api/admin/audit'] : []),
      'POST /api/admin/packages/7/archive',
    ]);
    if (line.startsWith('--stages')) {
      expect(stdout).toMatch(/^50\/s offered, .* STOPPED after \d\.\d s of 5 s\.$/m);
      const { scenarios } = await readResults(join(folder, 'out/latest.json'));
      expect(scenarios[0]?.contestants[0]?.runs.map(({ parameters }) => parameters)).toEqual([
        { offered: 50 },
      ]);
    }
    if (!isWhole) return;
    expect(stdout).toMatch(/50\/s offered, .*\/s finished \(0\/s confirmed\), error rate 0 %/);
    expect(stdout).toContain('Audit: clean, 1 packages, 2 orders, 3 reservations.');
    const text = await readFile(join(folder, 'out/latest.json'), 'utf8');
    expect(text).not.toMatch(/a-token|hush/);
  });

  it('sells its own unlisted package, audits the deployment and archives the package', async () => {
    const listed = async () => (await (await fetch(`${origin}/api/packages`)).json()) as object;
    const before = await listed();
    const line = `--targets ${origin} --rate 50 --duration 1s --admin-token ${adminToken}`;
    const { code, stdout, stderr } = await bench(line);
    expect(stderr).toMatch(/Customers do not see it/);
    expect(stderr).toMatch(/is archived/);
    expect(stdout).toMatch(/Audit: clean/);
    // Half of the flights fail, but a failed purchase counts as finished.
    expect(stdout).toMatch(/50\/s offered, [45]\d(\.\d)?\/s finished \(.*\/s confirmed\), error rate 0 %/);
    expect(code).toBe(0);
    expect(await listed()).toEqual(before);
    const { scenarios } = await readResults(join(folder, 'out/latest.json'));
    const [measured] = scenarios[0]?.contestants[0]?.runs ?? [];
    expect(measured?.answers['502 supplier_failed']).toBeGreaterThan(0);
    expect(measured?.latencies.outcome?.count).toBe(
      (measured?.answers['201'] ?? 0) + (measured?.answers['502 supplier_failed'] ?? 0),
    );
  });

  it('runs stages and writes one CSV row for each second', async () => {
    const csv = join(folder, 'seconds.csv');
    const stages = '--stages 20:1s,60:1s,40:1s';
    const { code, stdout } = await bench(`--targets ${origin} --read-only ${stages} --csv ${csv}`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/40\/s offered, [34]\d(\.\d)?\/s shown/);
    const { scenarios, headline } = await readResults(join(folder, 'out/latest.json'));
    expect(stdout).toContain(headline);
    const runs = scenarios[0]?.contestants[0]?.runs ?? [];
    expect(runs.map(({ parameters }) => parameters)).toEqual([20, 60, 40].map((offered) => ({ offered })));
    expect(runs[0]?.timeline).toHaveLength(3);
    const rows = (await readFile(csv, 'utf8')).trim().split('\r\n');
    expect(rows.map((row) => row.split(',')[2])).toEqual(['offered', '20', '60', '40']);
    const report = await readFile(join(folder, 'out/report.html'), 'utf8');
    expect(report).toContain('Requests over time');
    expect(report).toContain('Latency over time');
  });

  it('buys the package that --spend names', async () => {
    const { code, stdout } = await bench(
      `--targets ${origin} --package 1 --spend --callers 4 --duration 300ms`,
    );
    expect(stdout).toContain('Buys package 1, whose quota is spent');
    expect(code).toBe(0);
    expect(await confirmed()).toBeGreaterThan(0);
  });

  it('reports an invalid admin token', async () => {
    const { code, stderr } = await bench(`--targets ${origin} --admin-token nonsense-token --duration 300ms`);
    expect(stderr).toMatch(/admin/);
    expect(code).toBe(2);
  });

  it('reports a target that does not answer or is another kind of server', async () => {
    const nobody = await bench('--targets http://127.0.0.1:1 --read-only');
    expect(nobody.stderr).toMatch(/127.0.0.1:1 does not answer/);
    expect(nobody.code).toBe(2);
    const other = createServer((_request, response) => void response.end('hello')).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { stderr } = await bench(`--targets http://127.0.0.1:${port} --read-only`);
    other.close();
    expect(stderr).toMatch(/is it a ticket-booking server/);
  });
});
