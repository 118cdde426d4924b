import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

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
    execFile(process.execPath, parameters, { env: settings }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });
}

it.each(['20.19.0', '22.12.0', '23.11.1'])('says in one line that Node %s is too old', async (version) => {
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

it('loads nothing for databases and networks that are not used, and keeps what it has compiled', async () => {
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
