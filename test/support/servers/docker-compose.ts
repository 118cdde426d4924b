import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { constants as priorities, setPriority } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { cachedDownload } from './cache.ts';
import { firstFound, isRunnable, onPath } from './find.ts';

const run = promisify(execFile);

const version = 'v2.40.3';
const module = 'github.com/docker/compose/v2';
/** The build takes two minutes on two idle cores, and runs once. */
const buildTimeoutMs = 900_000;

/** A real Docker Compose. It needs no Docker engine to read a file. */
export interface DockerCompose {
  /** Returns the output of `docker compose`. @throws Error with the output when the exit code is not 0. */
  run(parameters: readonly string[], environment?: Readonly<Record<string, string>>): Promise<string>;
}

/**
 * Finds Docker Compose: the program at DOCKER_COMPOSE_PATH, the command of Docker's command line, or a program that is
 * built once from its Go module and kept outside the tree.
 * @throws Error with what to do if there is none.
 */
export async function findDockerCompose(): Promise<DockerCompose> {
  const path = await findBinary();
  const plugin = basename(path) === 'docker' ? ['compose'] : [];
  return {
    async run(parameters, environment = {}) {
      // Leave out this machine's other settings, because they must not change the result.
      const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...environment };
      const { stdout } = await run(path, [...plugin, ...parameters], { env, timeout: 60_000 });
      return stdout;
    },
  };
}

function findBinary(): Promise<string> {
  const advice =
    'Install Docker Compose 2.23.1 or newer, or Go 1.24 or newer to have it built, or set DOCKER_COMPOSE_PATH.';
  return firstFound('Docker Compose', advice, [
    async () => {
      const path = process.env.DOCKER_COMPOSE_PATH;
      if (!path) return { why: 'DOCKER_COMPOSE_PATH is not set' };
      return (await isRunnable(path)) ? { path } : { why: `DOCKER_COMPOSE_PATH=${path} cannot be run` };
    },
    async () => {
      const path = await onPath('docker');
      if (path === undefined) return { why: 'docker is not on PATH' };
      const isThere = await run(path, ['compose', 'version']).then(
        () => true,
        () => false,
      );
      return isThere ? { path } : { why: 'docker has no command compose' };
    },
    built,
  ]);
}

async function built(): Promise<{ path: string } | { why: string }> {
  try {
    return await cachedDownload(`docker-compose-${version}`, buildInto);
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    const last = stderr?.trim().split('\n').at(-1);
    return { why: `building ${module}@${version} failed: ${last || message.split('\n')[0]}` };
  }
}

/**
 * Builds Compose from a module of our own that imports the command, because `go install` refuses a module that excludes
 * others.
 */
async function buildInto(folder: string): Promise<string> {
  const go = (await onPath('go')) ?? '/usr/local/go/bin/go';
  if (!(await isRunnable(go))) throw new Error('there is no go');
  await writeFile(join(folder, 'tools.go'), `package tools\n\nimport _ "${module}/cmd"\n`);
  // Build without C, as the releases are built, so that no C compiler is needed.
  const env = { ...process.env, CGO_ENABLED: '0' };
  const options = { cwd: folder, env, timeout: buildTimeoutMs, maxBuffer: 2 ** 26 };
  const goes = async (...parameters: string[]) => {
    const running = run(go, parameters, options);
    // Lower the priority, because tests that run meanwhile are more urgent.
    if (running.child.pid !== undefined)
      setPriority(running.child.pid, priorities.priority.PRIORITY_BELOW_NORMAL);
    await running;
  };
  await goes('mod', 'init', 'tools');
  await goes('get', `${module}@${version}`);
  await goes('mod', 'tidy');
  await goes('build', '-buildvcs=false', '-ldflags=-s -w', '-o', 'docker-compose', `${module}/cmd`);
  return join(folder, 'docker-compose');
}

// Run directly, this file builds Compose before the tests, so that the tests have the machine to themselves.
if (import.meta.main) console.log(await findBinary());
