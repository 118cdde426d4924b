import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../observability/log.ts';
import { Checkpoints } from './checkpoints.ts';
import { GroupCommit } from './group-commit.ts';

describe('checkpoints beside the commits', () => {
  let folder: string;
  let file: string;
  let db: DatabaseSync;
  let checkpoints: Checkpoints;
  let commits: GroupCommit;
  const onFailure = vi.fn();

  beforeEach(() => {
    onFailure.mockClear();
    folder = mkdtempSync(join(tmpdir(), 'checkpoints-'));
    file = join(folder, 'a.db');
    db = new DatabaseSync(file);
    db.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 8000000');
    db.exec('CREATE TABLE pages (content BLOB)');
    checkpoints = new Checkpoints(file, onFailure, silentLog);
    commits = new GroupCommit(db, checkpoints);
  });
  afterEach(async () => {
    await commits.close();
    await checkpoints.close();
    db.close();
    rmSync(folder, { recursive: true });
  });

  /** Writes 4 MB of pages in commits that count as enough rows for a checkpoint each. */
  async function writeMuch(): Promise<void> {
    const insert = db.prepare('INSERT INTO pages VALUES (zeroblob(4000))');
    for (let commit = 0; commit < 10; commit++) {
      await commits.write(() => {
        for (let page = 0; page < 100; page++) insert.run();
      }, 2_000);
    }
  }

  const logBytes = () => statSync(`${file}-wal`).size;

  it('let the log begin again', async () => {
    // 120 MB, which the log would keep if it never began again.
    for (let round = 0; round < 30; round++) await writeMuch();
    await vi.waitFor(
      async () => {
        await writeMuch();
        expect(logBytes()).toBeLessThan(20_000_000);
      },
      { timeout: 20_000 },
    );
    expect(onFailure).not.toHaveBeenCalled();
  });

  it('leave the event loop free, also while they copy a log of 100 MB', async () => {
    const insert = db.prepare('INSERT INTO pages VALUES (zeroblob(4000))');
    db.exec('BEGIN');
    for (let page = 0; page < 25_000; page++) insert.run();
    db.exec('COMMIT');
    expect(logBytes()).toBeGreaterThan(100_000_000);
    const fileBytes = () => statSync(file).size;
    const before = fileBytes();
    const sizes: number[] = [];
    checkpoints.wrote(2_000);
    // The file grows while the log is copied into it. Each size is of another turn of the event loop.
    for (let size = before; size < 100_000_000; size = fileBytes()) {
      sizes.push(size);
      await setImmediate();
    }
    expect(sizes.filter((size) => size > before).length).toBeGreaterThan(10);
  });

  it('shrink the log after a reader has ended that needed an old state', async () => {
    const reader = new DatabaseSync(file, { readOnly: true });
    reader.exec('BEGIN');
    expect(reader.prepare('SELECT count(*) AS count FROM pages').get()).toEqual({ count: 0 });
    for (let round = 0; round < 10; round++) await writeMuch();
    expect(logBytes()).toBeGreaterThan(40_000_000);
    reader.close();
    await vi.waitFor(
      async () => {
        await writeMuch();
        expect(logBytes()).toBeLessThan(20_000_000);
      },
      { timeout: 20_000 },
    );
  });

  it('are left to the commits if the thread fails while it is idle', async () => {
    const started = once(process, 'worker') as Promise<[Worker]>;
    await writeMuch();
    const [worker] = await started;
    await vi.waitFor(() => expect(logBytes()).toBeGreaterThan(0));
    const ended = once(worker, 'exit');
    // More than the memory of the thread.
    worker.postMessage(Array.from({ length: 1_000_000 }, () => [0]));
    await expect(ended).rejects.toThrow('memory');
    expect(onFailure).toHaveBeenCalledTimes(1);
    await writeMuch();
    await checkpoints.close();
    expect(onFailure).toHaveBeenCalledTimes(1);
  });

  it('are left to the commits if the thread fails', async () => {
    const lost = new Checkpoints(join(folder, 'no such folder', 'a.db'), onFailure, silentLog);
    lost.wrote(2_000);
    await vi.waitFor(() => expect(onFailure).toHaveBeenCalledTimes(1), { timeout: 10_000 });
    lost.wrote(2_000);
    await lost.close();
    expect(onFailure).toHaveBeenCalledTimes(1);
  });
});
