import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const timeoutMs = 1_000;

/**
 * Stops a process and waits until all of its threads have stopped. On a busy machine the threads run on for a while
 * after the signal. On systems without `/proc` the function returns at once, because it cannot see the threads.
 */
export function freezeProcess(child: ChildProcess): void {
  if (!child.kill('SIGSTOP')) return;
  const until = performance.now() + timeoutMs;
  while (!stands(child.pid as number) && performance.now() < until);
}

function stands(pid: number): boolean {
  const threads = `/proc/${pid}/task`;
  try {
    return readdirSync(threads).every((each) =>
      /\) [TtZX] /.test(readFileSync(`${threads}/${each}/stat`, 'utf8')),
    );
  } catch {
    return true;
  }
}
