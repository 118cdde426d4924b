import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { findDockerEngine } from './docker-engine.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ticket-booking-no-engine-'));
  vi.stubEnv('PATH', folder);
  vi.stubEnv('DOCKER_HOST', '');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

/** Makes a program in the folder that PATH names. */
async function program(name: string, script: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, name), 0o755);
}

it('takes the engine that answers, and leaves it running', async () => {
  await program('docker', 'echo "$DOCKER_HOST $*"');
  vi.stubEnv('DOCKER_HOST', 'tcp://somewhere:2375');
  const engine = await findDockerEngine();
  if ('missing' in engine) throw new Error(engine.missing);
  expect(engine).toMatchObject({ host: 'tcp://somewhere:2375', isOwn: false });
  expect(await engine.docker('ps', '--all')).toBe('tcp://somewhere:2375 ps --all');
});

it('names what is missing and how to get it', async () => {
  const advice = /^There is no Docker engine .*DOCKER_HOST.*apt-get install docker\.io/;
  expect(await findDockerEngine()).toEqual({ missing: expect.stringMatching(advice) });
  expect(await findDockerEngine()).toEqual({ missing: expect.stringContaining('(docker is not on PATH)') });
  await program('docker', 'exit 1');
  const none = expect.stringContaining('(none is running, and dockerd is not on PATH)');
  expect(await findDockerEngine()).toEqual({ missing: none });
  vi.stubEnv('DOCKER_HOST', 'tcp://nowhere:2375');
  const silent = expect.stringContaining('(DOCKER_HOST=tcp://nowhere:2375 does not answer)');
  expect(await findDockerEngine()).toEqual({ missing: silent });
});
