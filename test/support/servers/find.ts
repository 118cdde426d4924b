import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The first of these programs that is on PATH. */
export async function onPath(...names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    for (const directory of (process.env.PATH ?? '').split(delimiter)) {
      const file = join(directory, name);
      if (directory !== '' && (await isRunnable(file))) return file;
    }
  }
  return undefined;
}

export async function isRunnable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/**
 * Installs a package of the distribution, if this process is root on a Debian. Several test files may try at once, so
 * each waits for the others. Returns undefined on success, else the reason.
 */
export async function aptInstall(name: string): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'apt-get needs root';
  const apt = (...parameters: string[]) =>
    run('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...parameters], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  try {
    await apt('update').catch(() => undefined);
    await apt('install', '-y', '--no-install-recommends', name);
    return undefined;
  } catch (error) {
    return `apt-get install ${name} failed: ${(error as Error).message.split('\n')[0]}`;
  }
}

/**
 * Tries ways to find a program, in their order. Each way returns the program's path, or the reason why there is none.
 * @throws Error with all reasons and what to do. A test without its server fails and is not skipped.
 */
export async function firstFound(
  what: string,
  advice: string,
  ways: readonly (() => Promise<{ readonly path: string } | { readonly why: string }>)[],
): Promise<string> {
  const reasons: string[] = [];
  for (const way of ways) {
    const found = await way();
    if ('path' in found) return found.path;
    reasons.push(found.why);
  }
  throw new Error(`There is no ${what} for the tests that need one (${reasons.join('; ')}). ${advice}`);
}
