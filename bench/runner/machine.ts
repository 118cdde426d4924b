import { execFile } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { promisify } from 'node:util';
import type { Machine } from '../results.ts';

const run = promisify(execFile);

/**
 * Describes this machine for the results.
 * @param placement the cores of each part.
 * @param servers names and versions of databases.
 */
export function describeMachine(placement: Machine['placement'], servers: readonly string[]): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${release()}`,
    node: process.version,
    servers,
    placement,
  };
}

/** The commit of a repository; undefined outside of one. */
export async function commitOf(folder: string): Promise<string | undefined> {
  return run('git', ['describe', '--always', '--dirty'], { cwd: folder }).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}
