import { startNodeProcess } from './node-process.ts';

export interface ServerProcess {
  /** The origin at which the server listens. */
  readonly origin: string;
  readonly pid: number;
  /** Everything that the server has printed so far. */
  output(): string;
  /** The exit code. Null while the server runs, and if a signal ended it. */
  exitCode(): number | null;
  /** Sends a signal and waits until the process has ended. Returns its exit code, or null after a signal. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/**
 * Starts the server in its own process on a free port of the loopback, without rate limits.
 * @throws Error with the server's output when the server ends before it listens.
 */
export async function spawnServer(settings: Record<string, string>): Promise<ServerProcess> {
  const server = await startNodeProcess({
    program: 'src/start.mjs',
    settings: { PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'warn', RATE_LIMIT: 'off', ...settings },
    ready: /listens on (http:\S+)/,
  });
  let exitCode: number | null = null;
  void server.ended.then((code) => {
    exitCode = code;
  });
  return {
    origin: server.match[1] as string,
    pid: server.pid,
    output: server.output,
    exitCode: () => exitCode,
    end: (signal) => server.end(signal),
  };
}
