import { execPath } from 'node:process';
import { expect, it } from 'vitest';
import { StoppedError } from '../stopping.ts';
import { endPrograms, runCommand } from './program.ts';

const run = (script: string) => runCommand(execPath, ['-e', script], { cwd: '.' });

it('returns the output and the exit code of a program', async () => {
  expect(await run('console.log(1); console.error(2); process.exit(3)')).toEqual({
    code: 3,
    stdout: '1\n',
    stderr: '2\n',
  });
  await expect(run('process.kill(process.pid, "SIGKILL")')).rejects.not.toThrow(StoppedError);
});

it('ends running programs when the bench stops', async () => {
  const startedAt = performance.now();
  const ended = run('setTimeout(() => {}, 20_000)');
  setTimeout(endPrograms, 50);
  await expect(ended).rejects.toThrow(StoppedError);
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});
