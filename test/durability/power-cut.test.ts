import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cutPower, type PowerCut } from './power-cut.ts';

let scratch: string;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'ticket-booking-power-cut-'));
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

const hex = (text: string) => Buffer.from(text).toString('hex').replace(/../g, '\\x$&');
const fd = (file: string) => `7<${hex(`/data/${file}`)}>`;
const write = (file: string, text: string, offset: number) =>
  `pwrite64(${fd(file)}, "${hex(text)}", ${text.length}, ${offset}) = ${text.length} <0.000100>`;
const opened = (file: string, how = 'O_RDWR|O_CREAT') =>
  `openat(AT_FDCWD<${hex('/')}>, "${hex(`/data/${file}`)}", ${how}, 0600) = ${fd(file)} <0.000100>`;
const sync = (file: string) => `fdatasync(${fd(file)}) = 0 <0.500000>`;

/** The content of the file `a` after a power cut. Line n of the trace begins at second n. */
async function left(lines: readonly string[], options: Partial<PowerCut> = {}, file = 'a'): Promise<string> {
  const log = join(scratch, 'log');
  const text = lines.map((line, second) => (/^\d+ /.test(line) ? line : `10 ${second}.000000 ${line}`));
  await writeFile(log, text.join('\n'));
  const target = await mkdtemp(join(scratch, 'disk-'));
  await cutPower({ log, folder: '/data', target, atMs: 1_000_000, ...options });
  return readFile(join(target, file), 'latin1');
}

test('a write is left once it was synced, and not before the sync has ended', async () => {
  const lines = [opened('a'), write('a', 'one', 0), sync('a'), write('a', 'two', 3), sync('b')];
  expect(await left(lines, { atMs: 2_499 })).toBe('');
  expect(await left(lines, { atMs: 2_501 })).toBe('one');
  expect(await left(lines)).toBe('one');
});

test('some of the other writes are left if they survive', async () => {
  const lines = [opened('a'), write('a', 'one', 0), write('a', 'two', 3)];
  expect(await left(lines, { survives: () => true })).toBe('onetwo');
  let nth = 0;
  expect(await left(lines, { survives: () => nth++ === 1 })).toBe('\0\0\0two');
});

test('a write that had not ended when the sync of another thread began is lost', async () => {
  const call = write('a', 'two', 3);
  const lines = [
    ...[opened('a'), write('a', 'one', 0)],
    `11 3.000000 ${call.slice(0, call.indexOf(')'))} <unfinished ...>`,
    `10 4.000000 fsync(${fd('a')} <unfinished ...>`,
    `11 5.000000 <... pwrite64 resumed>) = 3 <2.000000>`,
    `10 6.000000 <... fsync resumed>) = 0 <2.000000>`,
  ];
  expect(await left(lines)).toBe('one');
  expect(await left([...lines, sync('a')])).toBe('onetwo');
});

test('a call that failed changes nothing', async () => {
  const failed = `fsync(${fd('a')}) = -1 EIO (Input/output error) <0.000100>`;
  expect(await left([opened('a'), write('a', 'one', 0), failed])).toBe('');
});

test('names and sizes are left at once, and writes without an offset continue at the position', async () => {
  const plain = (text: string) =>
    `write(${fd('a')}, "${hex(text)}", ${text.length}) = ${text.length} <0.0001>`;
  const lines = [
    ...[opened('a'), plain('one'), plain('two'), sync('a'), `ftruncate(${fd('a')}, 4) = 0 <0.0001>`],
    `rename("${hex('/data/a')}", "${hex('/data/b')}") = 0 <0.0001>`,
  ];
  expect(await left(lines, {}, 'b')).toBe('onet');
  expect(await left([...lines, opened('b', 'O_WRONLY|O_TRUNC')], {}, 'b')).toBe('');
  await expect(left([...lines, `unlink("${hex('/data/b')}") = 0 <0.0001>`], {}, 'b')).rejects.toThrow(
    'ENOENT',
  );
});
