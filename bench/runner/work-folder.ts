import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Types in statfs(2): `TMPFS_MAGIC`, `RAMFS_MAGIC`. */
const inMemory: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

export interface WorkFolder extends AsyncDisposable {
  readonly path: string;
}

/** A temporary folder on a real disk: durable writes to memory would make every store look fast. */
export async function makeWorkFolder(): Promise<WorkFolder> {
  const { type } = await statfs(tmpdir());
  const parent = inMemory.has(type) ? fileURLToPath(new URL('../../data/', import.meta.url)) : tmpdir();
  await mkdir(parent, { recursive: true });
  const path = await mkdtemp(join(parent, 'ticket-booking-bench-'));
  const options = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 };
  // Also removes the folder when a second Ctrl-C ends the process at once.
  const removeToo = () => rmSync(path, options);
  process.once('exit', removeToo);
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, options);
      process.off('exit', removeToo);
    },
  };
}
