import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of the project to its end, in an environment of its own. */
export function runProgram(
  program: string,
  parameters: readonly string[],
  settings: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const options = {
      cwd: root,
      env: { PATH: process.env.PATH, ...settings },
      maxBuffer: 256 * 1024 * 1024,
      ...(signal === undefined ? {} : { signal }),
    };
    execFile(process.execPath, [program, ...parameters], options, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr });
      else reject(error);
    });
  });
}
