import { type ChildProcess, execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { StoppedError } from '../stopping.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of this project to its end, with only these environment variables. */
export function runProgram(
  program: string,
  parameters: readonly string[],
  settings: Readonly<Record<string, string>>,
): Promise<Ended> {
  return runCommand(process.execPath, [program, ...parameters], {
    cwd: root,
    env: { PATH: process.env.PATH, ...settings },
  });
}

/**
 * Runs a command to its end.
 * @throws StoppedError if `endPrograms` ended it; Error if it was ended otherwise or could not be started.
 */
export function runCommand(
  command: string,
  parameters: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const whole = { ...options, maxBuffer: 256 * 1024 * 1024 };
    const child = execFile(command, parameters, whole, (error, stdout, stderr) => {
      process.off('exit', endToo);
      if (!running.delete(child)) reject(new StoppedError());
      else if (error === null) resolve({ code: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr });
      else reject(error);
    });
    const endToo = () => child.kill('SIGKILL');
    process.once('exit', endToo);
    running.add(child);
  });
}

const running = new Set<ChildProcess>();

/** Ends all running programs, because the bench stops. */
export function endPrograms(): void {
  for (const child of running) {
    running.delete(child);
    child.kill('SIGTERM');
  }
}
