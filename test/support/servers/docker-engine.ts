import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { endChild } from './end-child.ts';
import { onPath } from './find.ts';

const run = promisify(execFile);

/** A real Docker engine. */
export interface DockerEngine extends AsyncDisposable {
  /** Where it listens: `DOCKER_HOST` for Docker's commands. Undefined: where they look without it. */
  readonly host: string | undefined;
  /** Whether this process has started it. It then has no images, and none of them stay. */
  readonly isOwn: boolean;
  /** Returns the trimmed output of `docker`. @throws Error with the output when the exit code is not 0. */
  docker(...parameters: readonly string[]): Promise<string>;
}

/** There is no engine. The message names what is missing, and how to get it. */
export interface NoDockerEngine {
  readonly missing: string;
}

const advice =
  'Start a Docker Engine 20.10 or newer, or set DOCKER_HOST, or install one (Debian: apt-get install docker.io) and be root.';

/**
 * Finds a Docker engine: the one at DOCKER_HOST, or the running one of this machine, or `dockerd` from PATH, which is
 * started with folders of its own.
 */
export async function findDockerEngine(): Promise<DockerEngine | NoDockerEngine> {
  const none = (why: string) => ({
    missing: `There is no Docker engine for the tests that need one (${why}). ${advice}`,
  });
  const client = await onPath('docker');
  if (client === undefined) return none('docker is not on PATH');
  const { DOCKER_HOST } = process.env;
  const running = engineAt(client, DOCKER_HOST || undefined, async () => {});
  if (await answers(running)) return running;
  if (DOCKER_HOST) return none(`DOCKER_HOST=${DOCKER_HOST} does not answer`);
  const daemon = await onPath('dockerd', '../sbin/dockerd');
  if (daemon === undefined) return none('none is running, and dockerd is not on PATH');
  if (process.getuid?.() !== 0) return none('none is running, and dockerd needs root');
  return startEngine(client, daemon).catch((error: Error) => none(error.message));
}

function engineAt(client: string, host: string | undefined, stop: () => Promise<void>): DockerEngine {
  const env = { ...process.env, ...(host === undefined ? {} : { DOCKER_HOST: host }) };
  return {
    host,
    isOwn: false,
    async docker(...parameters) {
      const { stdout } = await run(client, parameters, { env, timeout: 300_000, maxBuffer: 2 ** 26 });
      return stdout.trim();
    },
    [Symbol.asyncDispose]: stop,
  };
}

function answers(engine: DockerEngine): Promise<boolean> {
  return engine.docker('version').then(
    () => true,
    () => false,
  );
}

async function startEngine(client: string, daemon: string): Promise<DockerEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'ticket-booking-docker-'));
  const host = `unix://${join(folder, 'socket')}`;
  const folders = ['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')];
  // It does not make this machine a router, so the policy of its firewall stays. All that is left in that are empty chains.
  const networks = ['--bridge=none', '--ip-forward=false', '--ip-masq=false'];
  const files = [
    '--pidfile',
    join(folder, 'pid'),
    '--config-file',
    join(folder, 'config.json'),
    '--host',
    host,
  ];
  // Not the configuration of this machine's own engine.
  await writeFile(join(folder, 'config.json'), '{}');
  const child = spawn(daemon, [...folders, ...files, ...networks], { stdio: ['ignore', 'ignore', 'pipe'] });
  const log: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => log.splice(0, log.length - 20, text));
  const failed = once(child, 'error').then(([error]) => log.push(String(error)));
  const stop = async () => {
    await endChild(child, 'SIGTERM');
    // It leaves the network of the machine mounted there, if a build has used that.
    await run('umount', [join(folder, 'exec/netns/default')]).catch(() => {});
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  };
  const engine = { ...engineAt(client, host, stop), isOwn: true };
  const deadline = Date.now() + 60_000;
  while (!(await answers(engine))) {
    if (child.exitCode !== null || child.pid === undefined || Date.now() > deadline) {
      await Promise.race([failed, sleep(0)]);
      await stop();
      throw new Error(`dockerd did not start: ${log.join('').trim().split('\n').at(-1)}`);
    }
    await sleep(100);
  }
  return engine;
}
