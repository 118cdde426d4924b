import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface TestProcess {
  /** Where the server listens. */
  readonly origin: string;
  /** Everything it has printed so far. */
  output(): string;
  /** Null while it runs, and after a signal. */
  exitCode(): number | null;
  /** Sends a signal and waits until the process has ended; returns its exit code, or null after a signal. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

const root = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * The server as an operator starts it: a process of its own, on a free port of the loopback.
 * @throws Error with its output when it ends before it listens.
 */
export async function spawnServer(settings: Record<string, string>): Promise<TestProcess> {
  const child = spawn(process.execPath, ['src/start.mjs'], {
    cwd: root,
    env: { PATH: process.env.PATH, PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'warn', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const origin = await listening(child, () => output);
  return {
    origin,
    output: () => output,
    exitCode: () => child.exitCode,
    end: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
      return child.exitCode;
    },
  };
}

function listening(child: ChildProcess, output: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const origin = /listens on (http:\S+)/.exec(output())?.[1];
      if (origin !== undefined) resolve(origin);
    };
    child.stdout?.on('data', look);
    child.on('exit', () => reject(new Error(`the server ended before it listened: ${output()}`)));
    child.on('error', reject);
  });
}
