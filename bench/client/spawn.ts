import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * A program of the bench in a process of its own, with a channel for messages. Ctrl-C in our terminal reaches us
 * alone: whoever starts it ends it.
 * @param under what runs it: `['taskset', '-c', '1']`, or nothing.
 */
export function spawnProgram(program: URL, under: readonly string[]): ChildProcess {
  const words = [...under, process.execPath, fileURLToPath(program)];
  const [command = process.execPath, ...parameters] = words;
  return spawn(command, parameters, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true });
}
