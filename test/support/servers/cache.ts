import { mkdir, mkdtemp, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A download that takes longer than this counts as dead. */
export const downloadTimeoutMs = 300_000;

/** A maker renews its lock this often. A lock that was not renewed for `aliveMs` is stale. */
const aliveEveryMs = 5_000;
const aliveMs = 60_000;

/**
 * Returns a file or folder that is made once and kept outside the tree, under this name. `make` gets an empty folder to
 * work in and returns the path to keep. Other test files that need the entry wait until it is made.
 * @throws Error when the entry cannot be made.
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
    // Another test file is making the entry.
    else await sleep(250);
  }
  return { path };
}

/** Takes the lock by making its folder. Whoever makes the folder does the work. */
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

/** Renews a lock, so that it does not become stale. Returns the function that gives the lock up. */
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
