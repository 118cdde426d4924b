import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from '../free-port.ts';
import { endChild } from './end-child.ts';
import { findDebianProgram } from './find.ts';

/** A real Redis with nothing on disk, on the loopback. */
export interface RedisServer extends AsyncDisposable {
  /** The URL of the server: `redis://127.0.0.1:<port>`. */
  readonly url: string;
  readonly port: number;
  /** Deletes all data. */
  flush(): Promise<void>;
  /** Stops the process (SIGSTOP) for this long, or until the promise settles. Resolves when it runs again. */
  pause(ms: number, until?: Promise<unknown>): Promise<void>;
  /** Kills the process, and after `downMs` starts an empty one at the same port. */
  restart(downMs?: number): Promise<void>;
  /** Kills the process. Connections break, and new ones are refused. `restart` starts it again. */
  kill(): Promise<void>;
  /** Ends the process and removes its folder. */
  stop(): Promise<void>;
}

export interface RedisOptions {
  /** Starts the process in its own process group, so that Ctrl-C does not reach it. */
  readonly detached?: boolean;
}

/**
 * Starts redis-server: the program at REDIS_SERVER_PATH, a program on PATH, or Debian's package.
 * @throws Error with what to do if there is none.
 */
export async function startRedis({ detached = false }: RedisOptions = {}): Promise<RedisServer> {
  const program = await findRedis();
  const folder = await mkdtemp(join(tmpdir(), 'ticket-booking-redis-'));
  const port = await freePort({ isKept: true });
  const url = `redis://127.0.0.1:${port}`;
  let child = await spawnRedis(program, port, folder, detached);

  const kill = () => endChild(child, 'SIGKILL');
  const stop = async () => {
    await kill();
    await rm(folder, { recursive: true, force: true });
  };
  return {
    url,
    port,
    flush: () => flush(url),
    async pause(ms, until) {
      child.kill('SIGSTOP');
      await Promise.race([sleep(ms), ...(until === undefined ? [] : [until])]);
      child.kill('SIGCONT');
    },
    kill,
    async restart(downMs = 0) {
      await kill();
      await sleep(downMs);
      child = await spawnRedis(program, port, folder, detached);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function spawnRedis(
  program: string,
  port: number,
  folder: string,
  detached: boolean,
): Promise<ChildProcess> {
  const parameters = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder];
  const nothingOnDisk = ['--save', '', '--appendonly', 'no'];
  const child = spawn(program, [...parameters, ...nothingOnDisk], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached,
  });
  const last = () => child.kill('SIGKILL');
  process.once('exit', last);
  child.once('exit', () => process.off('exit', last));
  await ready(child);
  return child;
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    const look = (text: Buffer) => {
      output += text;
      if (output.includes('Ready to accept connections')) resolve();
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`redis-server ended before it was ready: ${output}`)));
  });
}

async function flush(url: string): Promise<void> {
  const client = new Redis(url);
  try {
    await client.flushall();
  } finally {
    client.disconnect();
  }
}

function findRedis(): Promise<string> {
  return findDebianProgram({
    ...{
      what: 'Redis',
      name: 'redis-server',
      debianPackage: 'redis-server',
      pathVariable: 'REDIS_SERVER_PATH',
    },
    advice: 'Install it (Debian: apt-get install redis-server) or set REDIS_SERVER_PATH.',
  });
}
