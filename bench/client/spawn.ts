import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Starts a program of the bench in a process of its own with a message channel. Ctrl-C in the terminal reaches only the
 * parent, which must end the process.
 * @param under the command that runs it, such as `['taskset', '-c', '1']`; may be empty.
 */
export function spawnProgram(program: URL, under: readonly string[]): ChildProcess {
  const words = [...under, process.execPath, fileURLToPath(program)];
  const [command = process.execPath, ...parameters] = words;
  return spawn(command, parameters, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true });
}
