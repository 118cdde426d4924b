import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('./command.ts', import.meta.url));

test('--help prints the help and exits 0', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--help']);
  expect(stdout).toMatch(/Usage: npm run chaos[\s\S]+--minutes <minutes>[\s\S]+--seed <seed>/);
});

test.each([
  [['--minutes', '0'], /--minutes takes a number above 0/],
  [['--minutes', 'ten'], /--minutes takes a number/],
  [['--seed', 'x'], /--seed takes a whole number from 0 to 999999999, not 'x'/],
  [['--rate', '-1'], /argument is ambiguous|--rate takes/],
  [['--engine', 'fast'], /--engine takes actor, lock or queue, not 'fast'/],
  [['--payments', 'cash'], /--payments takes on or off, not 'cash'/],
  [['--engine', 'lock', '--payments', 'on'], /--payments on needs --engine actor/],
  [['--nope'], /Unknown option '--nope'/],
])('%j is refused with exit code 2', async (args, words) => {
  const failed = promisify(execFile)(process.execPath, [program, ...args]);
  await expect(failed).rejects.toMatchObject({ code: 2, stderr: expect.stringMatching(words) });
});
