import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { atPathOf, firstFound, onPath } from './find.ts';
import { builtGoProgram } from './go-program.ts';

const run = promisify(execFile);

const module = 'github.com/docker/compose/v2';
const program = { name: 'docker-compose', module, version: 'v2.40.3', command: `${module}/cmd` };

/** A real Docker Compose. It needs no Docker engine to read a file. */
export interface DockerCompose {
  /** Returns the output of `docker compose`. @throws Error with the output when the exit code is not 0. */
  run(
    parameters: readonly string[],
    environment?: Readonly<Record<string, string>>,
    timeoutMs?: number,
  ): Promise<string>;
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
    async run(parameters, environment = {}, timeoutMs = 60_000) {
      // Leave out this machine's other settings, because they must not change the result.
      const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...environment };
      const options = { env, timeout: timeoutMs, maxBuffer: 2 ** 26 };
      const { stdout } = await run(path, [...plugin, ...parameters], options).catch((error) => {
        // The message has only what was written to stderr.
        throw new Error(`${error.message}\n${error.stdout}`);
      });
      return stdout;
    },
  };
}

function findBinary(): Promise<string> {
  const advice =
    'Install Docker Compose 2.23.1 or newer, or Go 1.24 or newer to have it built, or set DOCKER_COMPOSE_PATH.';
  return firstFound('Docker Compose', advice, [
    () => atPathOf('DOCKER_COMPOSE_PATH'),
    async () => {
      const path = await onPath('docker');
      if (path === undefined) return { why: 'docker is not on PATH' };
      const isThere = await run(path, ['compose', 'version']).then(
        () => true,
        () => false,
      );
      return isThere ? { path } : { why: 'docker has no command compose' };
    },
    () => builtGoProgram(program),
  ]);
}

// Run directly, this file builds Compose before the tests, so that the tests have the machine to themselves.
if (import.meta.main) console.log(await findBinary());
