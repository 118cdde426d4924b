import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const program = fileURLToPath(new URL('./command.ts', import.meta.url));

test('--help prints the help and exits 0', async () => {
  const { stdout } = await run(process.execPath, [program, '--help']);
  expect(stdout).toMatch(/Usage: npm run fuzz[\s\S]+--mode <api\|raw>[\s\S]+--inputs <count>/);
});

test.each([
  [['--mode', 'both'], /--mode takes api or raw, not 'both'/],
  [['--inputs', '0'], /--inputs takes a whole number from 1/],
  [['--replay', '--mode', 'api'], /--replay is for raw/],
])('%j is refused with exit code 2', async (args, words) => {
  const failed = run(process.execPath, [program, ...args]);
  await expect(failed).rejects.toMatchObject({ code: 2, stderr: expect.stringMatching(words) });
});

test('a short run prints what was sent and found, and exits 0', { timeout: 120_000 }, async () => {
  const { stdout } = await run(process.execPath, [program, '--mode', 'raw', '--inputs', '100']);
  expect(stdout).toMatch(/^raw: 100 inputs in \d+ s; answers .*\b200: \d+/m);
  expect(stdout).toMatch(/^Nothing was found\.$/m);
});

test('--replay sends the input of one seed and prints it', { timeout: 120_000 }, async () => {
  const { stdout } = await run(process.execPath, [program, '--replay', '--seed', '7']);
  expect(stdout).toMatch(/^[0-9a-f]+\n"/);
});

test('a stopped run exits with an error', { timeout: 120_000 }, async () => {
  const running = run(process.execPath, [program, '--mode', 'raw']);
  // The server is being attacked.
  running.child.stderr?.once('data', () => running.child.kill('SIGTERM'));
  await expect(running).rejects.toMatchObject({
    ...{ code: 2, stderr: expect.stringContaining('stopped by SIGTERM') },
  });
});
