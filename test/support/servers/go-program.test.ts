import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { findGoProgram } from './go-program.ts';

const program = {
  name: 'measure',
  module: 'example.test/measure/v2',
  version: 'v2.1.0',
  command: 'example.test/measure/v2/cmd/measure',
};
const find = () => findGoProgram(program, 'MEASURE_PATH');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ticket-booking-go-program-'));
  vi.stubEnv('XDG_CACHE_HOME', folder);
  vi.stubEnv('PATH', folder);
  vi.stubEnv('MEASURE_PATH', '');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

/** Makes a program in the folder that PATH names. */
async function executable(name: string, script: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

it('finds a program by the variable, else on PATH', async () => {
  const onPath = await executable('measure', 'exit 0');
  expect(await find()).toBe(onPath);
  const other = await executable('other', 'exit 0');
  vi.stubEnv('MEASURE_PATH', other);
  expect(await find()).toBe(other);
});

/** Stands in for Go: notes what it is asked to do, and makes the file that `go build -o` names. */
async function fakeGo(alsoDoes = ''): Promise<() => Promise<string[]>> {
  const calls = join(folder, 'calls');
  const builds = `echo '#!/bin/sh' > "$6"\n/bin/chmod +x "$6"`;
  await executable('go', `echo "$*" >> ${calls}\n${alsoDoes}\n[ "$1" = build ] || exit 0\n${builds}`);
  return async () => (await readFile(calls, 'utf8')).trim().split('\n');
}

it('builds the command of the module once, and keeps it outside the tree', async () => {
  const calls = await fakeGo();
  const path = await find();
  expect(path).toBe(join(folder, 'ticket-booking', 'measure-v2.1.0'));
  expect(await find()).toBe(path);
  expect(await calls()).toEqual([
    'mod init tools',
    'get example.test/measure/v2@v2.1.0',
    'build -mod=mod -buildvcs=false -ldflags=-s -w -o measure example.test/measure/v2/cmd/measure',
  ]);
});

it('takes the published versions of the modules that a module replaces by its own folders', async () => {
  const goMod = join(folder, 'measure.mod');
  const replaced = ['example.test/units', 'example.test/rulers'];
  const lines = replaced.map((name) => `\t${name} => ./staging/src/${name}`);
  await writeFile(goMod, `module x\n\nreplace (\n${lines.join('\n')}\n\tother => ./own\n)\n`);
  const calls = await fakeGo(`[ "$2" != download ] || echo '{"GoMod": "${goMod}"}'`);
  await findGoProgram({ ...program, staging: 'v0.3.0' }, 'MEASURE_PATH');
  expect((await calls()).slice(0, 4)).toEqual([
    'mod init tools',
    'mod download -json example.test/measure/v2@v2.1.0',
    'mod edit -replace=example.test/units=example.test/units@v0.3.0 -replace=example.test/rulers=example.test/rulers@v0.3.0',
    'get example.test/measure/v2@v2.1.0',
  ]);
});

it('explains why a program was not found and what to do', async () => {
  await executable('go', 'echo "go: no network" >&2; exit 1');
  await expect(find()).rejects.toThrow(
    'There is no measure for the tests that need one (MEASURE_PATH is not set; measure is not on PATH; ' +
      'building example.test/measure/v2@v2.1.0 failed: go: no network). ' +
      'Install measure v2.1.0, or Go to have it built, or set MEASURE_PATH.',
  );
});
