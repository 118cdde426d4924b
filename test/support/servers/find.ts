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

/** The path of a program, or the reason why there is none. */
export type Found = { readonly path: string } | { readonly why: string };

/** The program at the path in an environment variable. */
export async function atPathOf(variable: string): Promise<Found> {
  const path = process.env[variable];
  if (!path) return { why: `${variable} is not set` };
  return (await isRunnable(path)) ? { path } : { why: `${variable}=${path} cannot be run` };
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
  ways: readonly (() => Promise<Found>)[],
): Promise<string> {
  const reasons: string[] = [];
  for (const way of ways) {
    const found = await way();
    if ('path' in found) return found.path;
    reasons.push(found.why);
  }
  throw new Error(`There is no ${what} for the tests that need one (${reasons.join('; ')}). ${advice}`);
}

interface DebianProgram {
  /** What the program is to a test, for example `Redis`. */
  readonly what: string;
  readonly name: string;
  /** Debian's package that has it. */
  readonly debianPackage: string;
  readonly pathVariable: string;
  readonly advice: string;
}

/**
 * Finds a program: at the path in this variable, on PATH, or in Debian's package.
 * @throws Error with what to do if there is none.
 */
export function findDebianProgram(program: DebianProgram): Promise<string> {
  const { what, name, debianPackage, pathVariable, advice } = program;
  const search = async (): Promise<Found> => {
    const path = await onPath(name);
    return path === undefined ? { why: `${name} is not on PATH` } : { path };
  };
  return firstFound(what, advice, [
    () => atPathOf(pathVariable),
    search,
    async () => {
      const why = await aptInstall(debianPackage);
      return why === undefined ? search() : { why };
    },
  ]);
}
