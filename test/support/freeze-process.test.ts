import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { expect, it } from 'vitest';
import { freezeProcess } from './freeze-process.ts';

it.runIf(process.platform === 'linux')('returns once all threads of the process have stopped', async () => {
  const busy = spawn(process.execPath, ['-e', 'console.log("on"); for (;;);']);
  await once(busy.stdout, 'data');
  freezeProcess(busy);
  expect(readFileSync(`/proc/${busy.pid}/stat`, 'utf8')).toMatch(/\) T /);
  busy.kill('SIGKILL');
  await once(busy, 'exit');
  freezeProcess(busy);
});
