import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cachedDownload, downloadTimeoutMs } from '../support/servers/cache.ts';
import { firstFound } from '../support/servers/find.ts';

const run = promisify(execFile);
const requirements = join(import.meta.dirname, 'requirements.txt');

/**
 * The folder with schemathesis and its Python packages, which is downloaded once to the user's cache.
 * @throws Error with advice when it cannot be installed.
 */
export function findSchemathesis(): Promise<string> {
  const advice = 'It takes Python 3.10 or newer with pip, and the Python package index.';
  return firstFound('schemathesis', advice, [
    async () => {
      try {
        const wanted = createHash('sha256')
          .update(await readFile(requirements))
          .digest('hex')
          .slice(0, 12);
        const { stdout } = await run('python3', ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])']);
        return await cachedDownload(`schemathesis-${wanted}-python${stdout.trim()}`, install);
      } catch (error) {
        const [firstLine] = (error as Error).message.split('\n');
        return { why: `installing it with pip failed: ${firstLine}` };
      }
    },
  ]);
}

async function install(folder: string): Promise<string> {
  const into = join(folder, 'packages');
  const pip = ['-m', 'pip', 'install', '--quiet', '--only-binary=:all:', '--disable-pip-version-check'];
  await run('python3', [...pip, '--target', into, '--requirement', requirements], {
    timeout: downloadTimeoutMs,
  });
  return into;
}

// Run directly, this file installs schemathesis before the tests, so that no test waits for the download.
if (import.meta.main) console.log(await findSchemathesis());
