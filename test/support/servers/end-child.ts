import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Sends a signal, and waits until the process has ended. Does nothing if it has ended, or was never started. */
export async function endChild(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}
