import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { locateDatabase } from './database-path.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ticket-booking-path-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (...names: string[]) => join(folder, ...names);

describe('the path of a database', () => {
  it('creates all missing folders', () => {
    expect(locateDatabase(at('a', 'b', 'c.db'), false)).toBe(at('a', 'b', 'c.db'));
    expect(statSync(at('a', 'b')).isDirectory()).toBe(true);
    expect(existsSync(at('a', 'b', 'c.db'))).toBe(false);
  });

  it('resolves symbolic links', () => {
    writeFileSync(at('real.db'), '');
    symlinkSync(at('real.db'), at('link.db'));
    expect(locateDatabase(at('link.db'), false)).toBe(at('real.db'));
    expect(locateDatabase(at('link.db'), true)).toBe(at('real.db'));
  });

  test.runIf(process.platform === 'linux')('under /proc is refused at once', () => {
    expect(() => locateDatabase('/proc/nope/deep/x.db', false)).toThrow(
      /^cannot make the folder \/proc\/nope: nothing can be made there$/,
    );
  });

  it('is refused if a part of it is a file instead of a folder', () => {
    writeFileSync(at('file'), '');
    const message = `${at('file')} is a file, not a folder`;
    expect(() => locateDatabase(at('file', 'x.db'), false)).toThrow(message);
    expect(() => locateDatabase(at('file', 'deep', 'x.db'), false)).toThrow(message);
  });

  it('is refused if it, or a file beside it, is not a regular file', () => {
    mkdirSync(at('folder'));
    expect(() => locateDatabase(at('folder'), false)).toThrow(`${at('folder')} is a folder`);
    mkdirSync(at('x.db.lock'));
    expect(() => locateDatabase(at('x.db'), false)).toThrow(`${at('x.db.lock')} is a folder`);
    execFileSync('mkfifo', [at('pipe')]);
    for (const readOnly of [false, true]) {
      expect(() => locateDatabase(at('pipe'), readOnly)).toThrow(`${at('pipe')} is a device or a pipe`);
    }
  });

  it('is refused if links are broken or circular', () => {
    symlinkSync(at('gone'), at('nowhere'));
    expect(() => locateDatabase(at('nowhere', 'x.db'), false)).toThrow('a link of that name leads nowhere');
    symlinkSync(at('circle'), at('circle'));
    expect(() => locateDatabase(at('circle', 'x.db'), false)).toThrow('go round in a circle');
  });

  it('is refused if this user may not write there', () => {
    mkdirSync(at('closed'));
    for (const name of ['x.db', 'y.db', 'y.db.lock']) writeFileSync(at('closed', name), '', { mode: 0o444 });
    chmodSync(at('closed', 'y.db'), 0o666);
    chmodSync(at('closed'), 0o555);
    chmodSync(folder, 0o755);
    const denied = 'this user has no permission';
    expect(asNobody(at('closed', 'deep', 'x.db'))).toBe(
      `cannot make the folder ${at('closed', 'deep')}: ${denied}`,
    );
    expect(asNobody(at('closed', 'new.db'))).toBe(`cannot write to the folder ${at('closed')}: ${denied}`);
    expect(asNobody(at('closed', 'x.db'))).toBe(`cannot write to ${at('closed', 'x.db')}: ${denied}`);
    chmodSync(at('closed'), 0o777);
    // Simulates a folder of another user.
    expect(asNobody(at('closed', 'y.db'))).toBe(`cannot write to ${at('closed', 'y.db.lock')}: ${denied}`);
    expect(asNobody(at('closed', 'new.db'))).toBe('');
  });

  it('must exist for a reader', () => {
    expect(() => locateDatabase(at('none.db'), true)).toThrow('does not exist');
    expect(existsSync(at('none.db'))).toBe(false);
  });
});

/** The error for a user who is not root. If root runs the tests, a child process of the user nobody gets the error. */
function asNobody(file: string): string {
  const code = `
    const { locateDatabase } = await import(${JSON.stringify(join(import.meta.dirname, 'database-path.ts'))});
    if (process.getuid() === 0) {
      process.setgroups([]);
      process.setgid(65_534);
      process.setuid(65_534);
    }
    try {
      locateDatabase(${JSON.stringify(file)}, false);
    } catch (error) {
      process.stdout.write(error.message);
    }`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
}
