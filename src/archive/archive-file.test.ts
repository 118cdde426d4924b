import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { sampleOrder } from '../../test/contract/samples.ts';
import { ArchiveFile } from './archive-file.ts';
import type { ArchiveRecord } from './archive-record.ts';

const folder = mkdtempSync(join(tmpdir(), 'archive-'));
const path = join(folder, 'orders.ndjson');
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => rmSync(path, { force: true }));

const record = (number: number): ArchiveRecord => ({
  order: sampleOrder(number, { status: 'failed', email: `é${number}@example.com` }),
});

async function write(...pages: (readonly ArchiveRecord[])[]): Promise<void> {
  const file = await ArchiveFile.open(path, 'store-1');
  for (const page of pages) expect(await file.append(page)).toEqual(page);
  await file.close();
}

async function lastPage(store = 'store-1'): Promise<readonly ArchiveRecord[]> {
  const file = await ArchiveFile.open(path, store);
  await file.close();
  return file.lastPage;
}

/** The records of all whole pages. */
function records(): ArchiveRecord[] {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line)).filter((line) => !('page' in line || 'archive' in line));
}

test('an archive is continued, and knows its last page', async () => {
  await write();
  expect(await lastPage()).toEqual([]);
  await write([record(1), record(2)], [record(3)]);
  expect(await lastPage()).toEqual([record(3)]);
  await write([record(4)]);
  expect(records()).toEqual([1, 2, 3, 4].map(record));
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('an archive that was cut off at any byte keeps its whole pages and is continued behind them', async () => {
  await write([record(1)], [record(2), record(3)]);
  const whole = readFileSync(path);
  const ends = [...whole.toString().matchAll(/^\{"(?:archive|page)".*\n/gm)].map(({ index, 0: line }) =>
    Buffer.byteLength(whole.toString().slice(0, index) + line),
  );
  const isTelling = (length: number) => length % 41 === 0 || ends.some((end) => Math.abs(end - length) <= 2);
  const cuts = Array.from({ length: whole.length + 1 }, (_, length) => length).filter(isTelling);
  for (const length of cuts) {
    writeFileSync(path, whole.subarray(0, length));
    const pages = ends.filter((end) => end <= length).length;
    const expected = [[], [], [record(1)], [record(2), record(3)]][pages];
    expect(await lastPage(), `cut at ${length}`).toEqual(expected);
    const kept = ends[Math.max(pages - 1, 0)] as number;
    expect(readFileSync(path).equals(whole.subarray(0, kept)), `cut at ${length}`).toBe(true);
  }
  writeFileSync(path, whole.subarray(0, whole.length - 5));
  await write([record(4)]);
  expect(records()).toEqual([1, 4].map(record));
});

test.each([
  ['a text', 'These are my notes.\n', 'is not an archive'],
  ['a text without a line break', 'These are my notes.', 'is not an archive'],
  ['other JSON lines', '{"order":{}}\n{"order":{}}\n', 'is not an archive'],
  ['JSON that is no object', 'null\n', 'is not an archive'],
  [
    'the archive of another store',
    '{"archive":"ticket-booking","version":1,"store":"store-2"}\n',
    'is the archive of another store',
  ],
  [
    'an archive of a newer release',
    '{"archive":"ticket-booking","version":2,"store":"store-1"}\n',
    'was written by a newer release',
  ],
])('%s is refused and stays as it is', async (_what, content, reason) => {
  writeFileSync(path, content);
  await expect(ArchiveFile.open(path, 'store-1')).rejects.toThrow(`${path} ${reason}`);
  expect(readFileSync(path, 'utf8')).toBe(content);
});

test('a damaged page is noticed, and nothing is cut off', async () => {
  await write([record(1)], [record(2)]);
  const whole = readFileSync(path, 'utf8');
  for (const damaged of [whole.replace('buyer', 'biyer').replace('é1', 'è1'), whole.replace('é2', 'è2')]) {
    writeFileSync(path, damaged);
    await expect(ArchiveFile.open(path, 'store-1')).rejects.toThrow('is damaged before its byte');
    expect(readFileSync(path, 'utf8')).toBe(damaged);
  }
});
