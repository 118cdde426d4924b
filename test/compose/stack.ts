import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { instancesAnswer } from '../../src/admin/api/answers.ts';
import { freePort } from '../support/free-port.ts';
import { type DockerCompose, findDockerCompose } from '../support/servers/docker-compose.ts';
import type { DockerEngine } from '../support/servers/docker-engine.ts';
import { loadStandInImages } from '../support/servers/stand-in-images.ts';

const root = join(import.meta.dirname, '../..');
const files = ['docker-compose.yml', 'test/compose/deployment.override.yml'];
const adminToken = 'a'.repeat(32);
const commandTimeoutMs = 300_000;

export type Release = 'first' | 'second';

export interface AuditReport {
  readonly ok: boolean;
  readonly findings: readonly unknown[];
  readonly suppliersRead: boolean;
  readonly inMotion: readonly number[];
}

/** docker-compose.yml on a Docker engine, as a project of its own: it disturbs no other one of the same engine. */
export class Stack {
  /** The address of the proxy. */
  readonly origin: string;
  /** The image that the next containers are made of. */
  release: Release = 'first';
  readonly #engine: DockerEngine;
  readonly #compose: DockerCompose;
  readonly #folder: string;
  readonly #name = `ticket-booking-test-${process.pid}`;

  private constructor(engine: DockerEngine, compose: DockerCompose, folder: string, origin: string) {
    this.#engine = engine;
    this.#compose = compose;
    this.#folder = folder;
    this.origin = origin;
  }

  static async create(engine: DockerEngine): Promise<Stack> {
    if (engine.isOwn) await loadStandInImages(engine);
    const folder = await mkdtemp(join(tmpdir(), 'ticket-booking-stack-'));
    const port = await freePort({ isKept: true });
    const settings = {
      SECRET: 's'.repeat(32),
      SUPPLIERS_TOKEN: 't'.repeat(32),
      ADMIN_TOKEN: adminToken,
      RATE_LIMIT: 'off',
      FLIGHT_FAILURE_RATE: '0.1',
      PUBLISH: `127.0.0.1:${port}`,
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(join(folder, 'settings.env'), lines.join(''));
    return new Stack(engine, await findDockerCompose(), folder, `http://127.0.0.1:${port}`);
  }

  /** Runs `docker compose` and returns its output. `settings` are added to those of the stack. */
  compose(parameters: readonly string[], settings: Readonly<Record<string, string>> = {}): Promise<string> {
    const of = ['--project-name', this.#name, '--env-file', join(this.#folder, 'settings.env')];
    const named = files.flatMap((file) => ['--file', join(root, file)]);
    const { host, isOwn } = this.#engine;
    const environment = {
      RELEASE: this.release,
      ...(host === undefined ? {} : { DOCKER_HOST: host }),
      // The engine that the test starts has no network for builds, and no BuildKit.
      ...(isOwn ? { BUILD_NETWORK: 'host', DOCKER_BUILDKIT: '0' } : { BUILD_NETWORK: 'default' }),
      ...settings,
    };
    return this.#compose.run([...of, ...named, ...parameters], environment, commandTimeoutMs);
  }

  /** Starts what does not run, changes what has changed, and waits until all of it is healthy. */
  async up(instances: number, { build = false, settings = {}, profiles = [] as readonly string[] } = {}) {
    const chosen = profiles.flatMap((name) => ['--profile', name]);
    const how = build ? '--build' : '--no-build';
    const parameters = [...chosen, 'up', how, '--detach', '--wait', '--scale', `app=${instances}`];
    await this.compose(parameters, settings).catch(async (cause: Error) => {
      throw new Error(`${cause.message}\n${await this.logs()}`, { cause });
    });
  }

  /** Starts one more instance, of the present release, and changes nothing else. */
  async addInstance(): Promise<void> {
    const more = `app=${(await this.instances()).length + 1}`;
    const unchanged = ['--no-build', '--no-recreate', '--no-deps'];
    await this.compose(['up', ...unchanged, '--detach', '--wait', '--scale', more, 'app']);
  }

  docker(...parameters: readonly string[]): Promise<string> {
    return this.#engine.docker(...parameters);
  }

  /** The containers of the running instances. */
  async instances(): Promise<string[]> {
    const ids = await this.compose(['ps', '--quiet', '--status', 'running', 'app']);
    return ids.trim().split('\n').filter(Boolean);
  }

  /** Makes the image of the second release: the first one under a higher version. */
  async buildSecondRelease(version: string): Promise<void> {
    const folder = join(this.#folder, 'second');
    await mkdir(folder);
    const raised = `p=JSON.parse(f.readFileSync('package.json'));f.writeFileSync('package.json',JSON.stringify({...p,version:'${version}'}))`;
    const lines = [
      'FROM ticket-booking-test:first',
      'USER root',
      `RUN ["node", "-e", "const f=require('fs'),${raised}"]`,
      'USER 1000:1000',
    ];
    await writeFile(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);
    const network = this.#engine.isOwn ? ['--network', 'host'] : [];
    await this.docker('build', ...network, '--tag', 'ticket-booking-test:second', folder);
  }

  /** The versions of the instances that take orders. */
  async readyVersions(): Promise<(string | undefined)[]> {
    const { instances } = instancesAnswer.parse(
      await this.admin('instances').then((answer) => answer.json()),
    );
    return instances.filter(({ state }) => state === 'ready').map(({ version }) => version);
  }

  /** Asks the operators' API. @throws Error unless the answer is a success. */
  async admin(path: string, body?: object): Promise<Response> {
    const answer = await fetch(`${this.origin}/api/admin/${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return answer;
  }

  /** Puts a package on sale and returns its id. */
  async sell(flight: string, quota: number): Promise<number> {
    const answer = await this.admin('packages', { flight, stay: '2031-08-09', price: 100, quota });
    return z.object({ id: z.int() }).parse(await answer.json()).id;
  }

  /** The status of every order, by its id. */
  async orders(): Promise<Map<string, string>> {
    const [header = '', ...rows] = (await (await this.admin('orders.csv')).text()).trim().split('\r\n');
    const names = header.split(',');
    const at = (row: string, name: string) => row.split(',')[names.indexOf(name)] ?? '';
    return new Map(rows.map((row) => [at(row, 'id'), at(row, 'status')]));
  }

  /** Runs the audit in an instance, as the head of docker-compose.yml says. */
  async audit(): Promise<AuditReport> {
    const command = ['node', 'src/commands/audit.ts', '--json'];
    return JSON.parse(await this.compose(['exec', '-T', 'app', ...command])) as AuditReport;
  }

  /** What the containers have printed last. */
  logs(): Promise<string> {
    return this.compose(['--profile', '*', 'logs', '--no-color', '--tail', '40']);
  }

  /** Removes containers, volumes and the test's images. */
  async remove(): Promise<void> {
    await this.compose(['--profile', '*', 'down', '--volumes', '--timeout', '5']);
    const images = (['first', 'second'] as const).map((release) => `ticket-booking-test:${release}`);
    await this.docker('image', 'rm', '--force', ...images);
    await rm(this.#folder, { recursive: true, force: true });
  }
}
