import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const program = join(import.meta.dirname, '../.ci/count.mjs');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ticket-booking-count-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A report of vitest, as far as it matters here. `broken` files have no tests because they could not be loaded. */
function report(name: string, counts: { passed: number; failed?: number; broken?: number }): string {
  const path = join(folder, name);
  const { passed, failed = 0, broken = 0 } = counts;
  const testResults = [
    ...Array.from({ length: failed }, (_, index) => ({
      name: `/tests/${index}.test.ts`,
      status: 'failed',
      assertionResults: [
        { fullName: 'sells', status: 'passed', failureMessages: [] },
        { fullName: 'ships', status: 'failed', failureMessages: ['expected 1\nto be 2'] },
      ],
    })),
    ...Array.from({ length: broken }, () => ({
      name: '/tests/broken.test.ts',
      status: 'failed',
      message: 'cannot be parsed',
      assertionResults: [],
    })),
  ];
  writeFileSync(path, JSON.stringify({ numPassedTests: passed, numFailedTests: failed, testResults }));
  return path;
}

function count(...parameters: string[]): Promise<{ stdout: string; code: number }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...parameters], (error, stdout) => {
      resolve({ stdout, code: error === null ? 0 : Number(error.code) });
    });
  });
}

test('adds up the tests of all reports, and counts every other command as one test', async () => {
  const [tests, long] = [report('tests.json', { passed: 12 }), report('long.json', { passed: 3 })];
  expect(await count(`${tests}=0`, `${long}=0`, 'simulate=0', 'chaos=0')).toEqual({
    stdout: '17 passed, 0 failed\n',
    code: 0,
  });
});

test('counts failed tests, files that could not be loaded, and failed commands', async () => {
  const tests = report('tests.json', { passed: 12, failed: 2, broken: 1 });
  const { stdout, code } = await count(`${tests}=1`, 'simulate=0', 'chaos=124');
  expect(stdout.endsWith('\n13 passed, 4 failed\n')).toBe(true);
  expect(code).toBe(1);
});

test('names what failed, with its message', async () => {
  const tests = report('tests.json', { passed: 12, failed: 1, broken: 1 });
  const { stdout } = await count(`${tests}=1`, 'simulate=0', 'chaos=124');
  expect(stdout.split('\n').map((line) => line.trim())).toEqual([
    `FAILED: ${tests} (exit status 1)`,
    'FAILED: /tests/broken.test.ts',
    'cannot be parsed',
    'FAILED: /tests/0.test.ts: ships',
    'expected 1',
    'to be 2',
    'FAILED: chaos (exit status 124)',
    '13 passed, 3 failed',
    '',
  ]);
});

test('counts a run without a report, and an error outside of every test, as failed', async () => {
  const tests = report('tests.json', { passed: 12 });
  const { stdout, code } = await count(`${tests}=1`, `${join(folder, 'none.json')}=0`);
  expect(stdout.endsWith('\n12 passed, 2 failed\n')).toBe(true);
  expect(code).toBe(1);
});
