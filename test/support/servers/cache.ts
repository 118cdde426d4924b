import { mkdir, mkdtemp, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A download that takes longer has died. */
export const downloadTimeoutMs = 300_000;

/** Who makes something says so this often, and has died when it has not said so for that long. */
const aliveEveryMs = 5_000;
const aliveMs = 60_000;

/**
 * Something fetched once and kept outside the tree, under this name: a file or a folder. `make` gets an empty folder
 * to work in and returns what of it is to be kept. Test files that want it at the same time wait for the one that
 * makes it.
 * @throws Error when it cannot be made.
 */
export async function cachedDownload(
  name: string,
  make: (folder: string) => Promise<string>,
): Promise<{ path: string }> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ticket-booking');
  const path = join(cache, name);
  await mkdir(cache, { recursive: true });
  while ((await stat(path).catch(() => undefined)) === undefined) {
    const lock = `${path}.lock`;
    if (await taken(lock)) await makeAt(path, cache, make).finally(keptAlive(lock));
    // Another test file is at it.
    else await sleep(250);
  }
  return { path };
}

/** The one that makes the folder does the work. */
async function taken(lock: string): Promise<boolean> {
  const made = await mkdir(lock).then(
    () => true,
    () => false,
  );
  if (made) return true;
  const since = await stat(lock).catch(() => undefined);
  if (since && Date.now() - since.mtimeMs > aliveMs) await rm(lock, { recursive: true, force: true });
  return false;
}

/** Keeps a lock from looking left behind; returns how to give it up. */
function keptAlive(lock: string): () => Promise<void> {
  const timer = setInterval(() => {
    const now = new Date();
    utimes(lock, now, now).catch(() => {});
  }, aliveEveryMs);
  return async () => {
    clearInterval(timer);
    await rm(lock, { recursive: true, force: true });
  };
}

async function makeAt(path: string, cache: string, make: (folder: string) => Promise<string>): Promise<void> {
  const folder = await mkdtemp(join(cache, 'fetch-'));
  try {
    await rename(await make(folder), path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
