import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface NodeProcessOptions {
  /** Path of the program from the project's root, or from `folder`. */
  readonly program: string;
  readonly folder?: string;
  /** User and group id of the process. Default: the ids of the test's process. */
  readonly uid?: number;
  readonly parameters?: readonly string[];
  /** A command that runs the program as its own process, for example `strace -D -o log`. */
  readonly tracer?: readonly string[];
  /** Environment of the process, in addition to PATH. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether the process inherits the test's environment. `settings` override inherited values. */
  readonly inherit?: boolean;
  /** The output that shows that the program is ready. */
  readonly ready: RegExp;
  /** Starts the process in its own process group, so that Ctrl-C does not reach it. */
  readonly detached?: boolean;
  /** Called with each line that the program prints, without the line break. */
  readonly onLine?: (line: string) => void;
}

/** A program of the project in a process of its own. */
export interface NodeProcess {
  readonly pid: number;
  /** The match of the regular expression `ready` in the output. */
  readonly match: RegExpExecArray;
  /** The output so far, limited to the last 8 million characters. */
  output(): string;
  readonly isRunning: boolean;
  /** Resolves when the process has ended, with its exit code, or null after a signal. */
  readonly ended: Promise<number | null>;
  signal(signal: NodeJS.Signals): void;
  /** Sends a signal and waits until the process has ended. Kills the process after `timeoutMs`. */
  end(signal: NodeJS.Signals, timeoutMs?: number): Promise<number | null>;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const compileCache = fileURLToPath(new URL('../../node_modules/.cache/node-compile', import.meta.url));
const startMs = 60_000;
/** The least number of output characters that are kept. */
const keptMax = 8_000_000;
const chunksMax = 10_000;

/**
 * The environment of a program under test. The program shares compiled code with other runs, which halves the time of a
 * start.
 */
export function environmentOf(settings: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, NODE_COMPILE_CACHE: compileCache, ...settings };
}

/**
 * Starts a program and waits until it is ready.
 * @throws Error with the program's output if the program ends early or is not ready within a minute.
 */
export async function startNodeProcess(options: NodeProcessOptions): Promise<NodeProcess> {
  const { program, parameters = [], settings = {}, inherit = false, ready, detached = false } = options;
  const { folder = root, uid, onLine, tracer = [] } = options;
  const [command = process.execPath, ...words] = [...tracer, process.execPath, program, ...parameters];
  const child = spawn(command, words, {
    cwd: folder,
    ...(uid === undefined ? {} : { uid, gid: uid }),
    env: { ...(inherit ? process.env : {}), ...environmentOf(settings) },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached,
  });
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      chunks.push(text);
      if (chunks.length > chunksMax) chunks.splice(0, chunks.length, chunks.join('').slice(-keptMax));
    });
    if (onLine !== undefined) createInterface({ input: stream }).on('line', onLine);
  }
  const output = () => chunks.join('');
  // Kill the child if this process ends first.
  const endToo = () => child.kill('SIGKILL');
  process.once('exit', endToo);
  const ended = once(child, 'close').then(() => child.exitCode);
  void ended.finally(() => process.off('exit', endToo));
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const end = async (signal: NodeJS.Signals, timeoutMs = startMs) => {
    if (!isRunning()) return ended;
    child.kill(signal);
    const lastResort = setTimeout(endToo, timeoutMs);
    // A stopped process handles only SIGKILL and SIGCONT.
    if (signal !== 'SIGKILL') child.kill('SIGCONT');
    await ended;
    clearTimeout(lastResort);
    return child.exitCode;
  };
  const match = await started(child, program, ready, output).catch(async (error: unknown) => {
    if (child.pid !== undefined) await end('SIGKILL');
    throw error;
  });
  return {
    pid: child.pid as number,
    match,
    output,
    get isRunning() {
      return isRunning();
    },
    ended,
    signal: (signal) => void child.kill(signal),
    end,
  };
}

function started(
  child: ChildProcess,
  program: string,
  ready: RegExp,
  output: () => string,
): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const fail = (what: string) => reject(new Error(`${program} ${what}:\n${output().trim().slice(-2_000)}`));
    const late = setTimeout(() => fail(`was not ready within ${startMs / 1000} s`), startMs);
    const look = () => {
      const match = ready.exec(output());
      if (match === null) return;
      for (const stream of [child.stdout, child.stderr]) stream?.off('data', look);
      clearTimeout(late);
      resolve(match);
    };
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', look);
    child.once('close', () => {
      clearTimeout(late);
      fail('ended before it was ready');
    });
    child.once('error', (error) => {
      clearTimeout(late);
      reject(error);
    });
  });
}
