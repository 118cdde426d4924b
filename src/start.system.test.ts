import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const program = join(import.meta.dirname, 'start.mjs');

interface Ended {
  readonly code: number | string | undefined;
  readonly output: string;
}

/** Runs the program until it ends, on a Node that claims to be of some version. */
function start(settings: Record<string, string>, version = process.versions.node): Promise<Ended> {
  return startAfter(`Object.defineProperty(process.versions, 'node', { value: '${version}' })`, settings);
}

/** Runs some code and then the program, until it ends. */
function startAfter(code: string, settings: Record<string, string>): Promise<Ended> {
  return new Promise((resolve) => {
    const parameters = ['--import', `data:text/javascript,${encodeURIComponent(code)}`, program];
    execFile(
      process.execPath,
      parameters,
      { env: settings, timeout: 20_000, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => resolve({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });
}

it.each(['20.19.0', '22.12.0', '23.11.1'])('reports in one line that Node %s is too old', async (version) => {
  const { code, output } = await start({}, version);
  expect(code).toBe(1);
  expect(output).toMatch(new RegExp(`^Node\\.js ${version} is too old: .* 24 or newer.*\\n$`));
});

it.each([
  [{ PORT: 'eighty' }, /^PORT=eighty is not allowed: a whole number from 0 to 65535\.\n$/],
  [
    { SECRET: 'hunter 2' },
    /^SECRET=\(hidden\) is not allowed: 1 to 512 visible ASCII characters, no blanks\.\n$/,
  ],
  [
    { REDIS_URL: 'redis://:pw@h' },
    /^REDIS_URL=redis:\/\/:\(hidden\)@h is not allowed: SQLite serves one process.*\n$/,
  ],
])('says in one line which setting is wrong, its value and what is allowed: %j', async (settings, line) => {
  const { code, output } = await start(settings as Record<string, string>);
  expect(code).toBe(1);
  expect(output).toMatch(line);
});

it('reports all wrong and possibly misspelt settings at once', async () => {
  const { code, output } = await start({
    PORT: 'eighty',
    FLIGHT_FAILURE_RATE: '2',
    FLIGHT_FAILURE_RTE: '0',
    ENGINE: 'queue',
  });
  expect(code).toBe(1);
  expect(output.split('\n')).toEqual([
    '3 settings are wrong:',
    'PORT=eighty is not allowed: a whole number from 0 to 65535.',
    'FLIGHT_FAILURE_RATE=2 is not allowed: a number from 0 to 1.',
    'ENGINE=queue is not allowed: with SQLite it is actor; lock and queue need DATABASE_URL=mongodb://… and REDIS_URL.',
    'FLIGHT_FAILURE_RTE is not a setting: did you mean FLIGHT_FAILURE_RATE?',
    '',
  ]);
});

it('loads no modules for unused databases and networks, and caches the compiled code', async () => {
  const watch = `
    import { getCompileCacheDir, registerHooks } from 'node:module';
    const packages = new Set();
    registerHooks({
      resolve(specifier, context, next) {
        const found = next(specifier, context);
        packages.add(/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(found.url)?.[1]);
        return found;
      },
    });
    process.on('exit', () => console.log('loaded', [...packages].join(' '), 'cache', getCompileCacheDir()));
  `;
  const { output } = await startAfter(watch, { PORT: 'eighty' });
  expect(output).toMatch(/^loaded .*\bhono\b/m);
  expect(output).not.toMatch(/\b(mongodb|bson|ioredis|redlock)\b/);
  expect(output).toMatch(/ cache \S+node-compile/);
});

describe('a start that cannot go on', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ticket-booking-start-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const settings = () => ({
    PORT: '0',
    HOST: '127.0.0.1',
    DATABASE_URL: `sqlite:${join(folder, 'booking.db')}`,
    LOG_LEVEL: 'warn',
  });

  it.each([
    ['/proc/nope/x.db', 'cannot make the folder /proc/nope: nothing can be made there'],
    ['/dev/null', '/dev/null is a device or a pipe, not a file'],
    [`${program}/x.db`, `${program} is a file, not a folder`],
    [join(program, '..'), `${join(program, '..')} is a folder, not a database file`],
  ])('says in one line what is wrong with the path %s, and exits 1', async (file, message) => {
    const { code, output } = await start({ ...settings(), DATABASE_URL: `sqlite:${file}` });
    expect({ code, output }).toEqual({
      code: 1,
      output: `ticket-booking cannot start: DATABASE_URL cannot be used: ${message}\n`,
    });
  });

  /** Thirty seconds pass in a tenth of one. */
  const inHaste = `
    const setTimer = setTimeout;
    globalThis.setTimeout = (work, ms, ...values) => setTimer(work, ms === 30_000 ? 100 : ms, ...values);
  `;

  it.each([
    [
      'a disk that does not answer',
      `import fs from 'node:fs/promises';
       fs.stat = () => new Promise(() => {});`,
      /looking at .*booking\.db took longer than 30 s/,
    ],
    [
      'a port that is never opened',
      `import net from 'node:net';
       net.Server.prototype.listen = function () { return this; };`,
      /listening on port 0 took longer than 30 s/,
    ],
  ])('names the step that hangs, and exits 1: %s', async (_, code, message) => {
    const sync = "import { syncBuiltinESMExports } from 'node:module'; syncBuiltinESMExports();";
    // A timer that is not waited for would end a process with nothing else to do.
    const alive = 'setInterval(() => {}, 60_000);';
    const ended = await startAfter([code, sync, inHaste, alive].join('\n'), settings());
    expect(ended.code).toBe(1);
    expect(ended.output).toMatch(new RegExp(`^ticket-booking cannot start: .*${message.source}\\n$`));
  });

  it('ends on SIGTERM, even during a step that cannot be interrupted', async () => {
    const code = `
      import fs from 'node:fs';
      import { syncBuiltinESMExports } from 'node:module';
      fs.accessSync = () => { fs.writeSync(1, 'busy'); for (;;); };
      syncBuiltinESMExports();
    `;
    const parameters = ['--import', `data:text/javascript,${encodeURIComponent(code)}`, program];
    const child = spawn(process.execPath, parameters, {
      env: settings(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      expect(String((await once(child.stdout, 'data'))[0])).toBe('busy');
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      expect(await ended).toEqual([null, 'SIGTERM']);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
