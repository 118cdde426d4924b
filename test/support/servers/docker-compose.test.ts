import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { findDockerCompose } from './docker-compose.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ticket-booking-no-compose-'));
  vi.stubEnv('XDG_CACHE_HOME', folder);
  vi.stubEnv('PATH', folder);
  vi.stubEnv('DOCKER_COMPOSE_PATH', '');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

/** Makes a program in the folder that PATH names. */
async function program(name: string, script: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

it('finds the program at DOCKER_COMPOSE_PATH, or docker’s own command', async () => {
  await program('docker', 'echo "docker $*"');
  expect(await (await findDockerCompose()).run(['config'])).toBe('docker compose config\n');
  vi.stubEnv('DOCKER_COMPOSE_PATH', await program('mine', 'echo "mine $*"'));
  expect(await (await findDockerCompose()).run(['config'])).toBe('mine config\n');
});

it('explains why Docker Compose was not found and what to do', async () => {
  await program('docker', 'exit 1');
  await program('go', 'echo "go: no network" >&2; exit 1');
  await expect(findDockerCompose()).rejects.toThrow(
    /^There is no Docker Compose .*DOCKER_COMPOSE_PATH is not set; docker has no command compose; building \S+ failed: go: no network\)\. Install Docker Compose 2\.23\.1 or newer, or Go 1\.24/,
  );
});
