import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { getPriority, constants as priorities, setPriority } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cachedDownload } from './cache.ts';
import { atPathOf, type Found, firstFound, isRunnable, onPath } from './find.ts';

const run = promisify(execFile);

/** A build takes some minutes on two idle cores, that of Kubernetes more than ten, and runs once. */
const buildTimeoutMs = 3_600_000;

/** A program that is built from its Go module where this machine has none. */
export interface GoProgram {
  /** The name of its file, for example `docker-compose`. */
  readonly name: string;
  readonly module: string;
  readonly version: string;
  /** The import path of its main package. */
  readonly command: string;
  /**
   * The version of the modules that this module replaces by folders of its own repository. They are published on their
   * own, but its requirements name a version that does not exist.
   */
  readonly staging?: string;
  /** What the program's own build tells the linker, such as its version. */
  readonly linkerFlags?: string;
}

/**
 * Finds a program: at the path in this variable, on PATH by its name, or built once and kept outside the tree.
 * @throws Error with what to do if there is none.
 */
export function findGoProgram(program: GoProgram, pathVariable: string): Promise<string> {
  const advice = `Install ${program.name} ${program.version}, or Go to have it built, or set ${pathVariable}.`;
  return firstFound(program.name, advice, [
    () => atPathOf(pathVariable),
    async () => {
      const path = await onPath(program.name);
      return path === undefined ? { why: `${program.name} is not on PATH` } : { path };
    },
    () => builtGoProgram(program),
  ]);
}

/** A program that is built once from its Go module and kept outside the tree. */
export async function builtGoProgram(program: GoProgram): Promise<Found> {
  try {
    return await cachedDownload(`${program.name}-${program.version}`, (folder) => buildInto(folder, program));
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    const last = stderr?.trim().split('\n').at(-1);
    return { why: `building ${program.module}@${program.version} failed: ${last || message.split('\n')[0]}` };
  }
}

/**
 * Builds a program from a module of our own that imports its command, because `go install` refuses a module that
 * excludes or replaces others.
 */
async function buildInto(folder: string, program: GoProgram): Promise<string> {
  const { name, module, version, command, staging, linkerFlags = '' } = program;
  const go = (await onPath('go')) ?? '/usr/local/go/bin/go';
  if (!(await isRunnable(go))) throw new Error('there is no go');
  await writeFile(join(folder, 'tools.go'), `package tools\n\nimport _ "${command}"\n`);
  // Build without C, as the releases are built, so that no C compiler is needed.
  const env = { ...process.env, CGO_ENABLED: '0' };
  const options = { cwd: folder, env, timeout: buildTimeoutMs, maxBuffer: 2 ** 26 };
  const goes = async (...parameters: string[]) => {
    const running = run(go, parameters, options);
    // Lower the priority, because tests that run meanwhile are more urgent. Only root may raise it.
    if (running.child.pid !== undefined && getPriority() < priorities.priority.PRIORITY_BELOW_NORMAL)
      setPriority(running.child.pid, priorities.priority.PRIORITY_BELOW_NORMAL);
    return (await running).stdout;
  };
  await goes('mod', 'init', 'tools');
  if (staging !== undefined) {
    const { GoMod } = JSON.parse(await goes('mod', 'download', '-json', `${module}@${version}`));
    const replaced = (await readFile(GoMod, 'utf8')).matchAll(/^\s*(\S+) => \.\/staging\//gm);
    await goes('mod', 'edit', ...[...replaced].map(([, other]) => `-replace=${other}=${other}@${staging}`));
  }
  await goes('get', `${module}@${version}`);
  // Not `mod tidy` before it, which also fetches what only the tests of all modules need.
  await goes(
    'build',
    '-mod=mod',
    '-buildvcs=false',
    `-ldflags=${`-s -w ${linkerFlags}`.trim()}`,
    '-o',
    name,
    command,
  );
  return join(folder, name);
}
