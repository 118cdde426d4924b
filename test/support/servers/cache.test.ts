import { mkdir, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { cachedDownload } from './cache.ts';

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'ticket-booking-cache-'));
  vi.stubEnv('XDG_CACHE_HOME', cache);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true, force: true });
});

async function make(folder: string): Promise<string> {
  await writeFile(join(folder, 'thing'), 'made');
  return join(folder, 'thing');
}

it('creates an entry once for concurrent callers and finds the entry again', async () => {
  const making = vi.fn(make);
  const found = await Promise.all([1, 2, 3].map(() => cachedDownload('thing', making)));
  expect(making).toHaveBeenCalledTimes(1);
  expect(new Set(found.map(({ path }) => path)).size).toBe(1);
  expect(await readFile(found[0]?.path as string, 'utf8')).toBe('made');
  expect(await cachedDownload('thing', making)).toEqual(found[0]);
  expect(making).toHaveBeenCalledTimes(1);
});

it('takes over a stale lock, and removes the lock if the creation fails', async () => {
  const lock = join(cache, 'ticket-booking', 'thing.lock');
  await mkdir(lock, { recursive: true });
  const longAgo = new Date(Date.now() - 120_000);
  await utimes(lock, longAgo, longAgo);
  await expect(cachedDownload('thing', () => Promise.reject(new Error('no net')))).rejects.toThrow('no net');
  await expect(stat(lock)).rejects.toThrow('ENOENT');
  expect(await readFile((await cachedDownload('thing', make)).path, 'utf8')).toBe('made');
});
