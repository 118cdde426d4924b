import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Script } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig, settingNames } from '../../src/config/config.ts';
import { freePort } from '../support/free-port.ts';
import { startNodeProcess } from '../support/node-process.ts';
import { spawnServer } from '../support/server-process.ts';
import { type DockerCompose, findDockerCompose } from '../support/servers/docker-compose.ts';

/* docker-compose.yml as a real Docker Compose reads it. No Docker engine is needed. */

const root = join(import.meta.dirname, '../..');
const file = join(root, 'docker-compose.yml');
const required = { SECRET: 's'.repeat(32), SUPPLIERS_TOKEN: 't'.repeat(32) };

/** The parts of the output of `docker compose config` that these tests read. */
interface Project {
  readonly services: Readonly<Record<string, Service>>;
}
interface Service {
  readonly command?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly healthcheck?: { readonly test?: readonly string[] } & Readonly<Record<string, unknown>>;
}

let folder: string;
let compose: DockerCompose;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ticket-booking-compose-'));
  compose = await findDockerCompose();
  // Compose may have to be built first.
}, 1_200_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The configuration of every service, profiles included. A local .env file is not read. */
async function config(settings: Readonly<Record<string, string>> = required, ...parameters: string[]) {
  const envFile = join(folder, 'settings.env');
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(envFile, lines.join(''));
  const of = ['--file', file, '--env-file', envFile, '--profile', '*'];
  return compose.run([...of, 'config', ...parameters]);
}

async function project(settings?: Readonly<Record<string, string>>): Promise<Project> {
  return JSON.parse(await config(settings, '--format', 'json')) as Project;
}

/** The variables that the file reads from the environment: in `${…}`, or named without a value. */
async function readByTheFile(): Promise<string[]> {
  const interpolated = (await config(required, '--variables')).trim().split('\n').slice(1);
  const { services } = await project();
  const passedOn = Object.values(services).flatMap(({ environment = {} }) =>
    Object.keys(environment).filter((name) => environment[name] === null),
  );
  return [...new Set([...interpolated.map((line) => line.split(/\s/)[0] as string), ...passedOn])].sort();
}

interface Example {
  readonly name: string;
  readonly value: string;
  readonly isSet: boolean;
  readonly explained: boolean;
}

function example(): Example[] {
  const lines = readFileSync(join(root, '.env.example'), 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    const { mark, name, value } = /^(?<mark>#?)(?<name>[A-Z_]+)=(?<value>.*)$/.exec(line)?.groups ?? {};
    if (name === undefined || value === undefined) return [];
    return [{ name, value, isSet: mark === '', explained: /^# \S.*\.$/.test(lines[index - 1] ?? '') }];
  });
}

describe('docker-compose.yml', { timeout: 60_000 }, () => {
  it('is accepted by Docker Compose with and without the profile', async () => {
    expect(Object.keys((await project()).services).sort()).toEqual(
      ['app', 'consumer', 'mongo', 'proxy', 'redis', 'suppliers'].sort(),
    );
    await compose.run(['--file', file, 'config', '--quiet'], required);
  });

  it.each(Object.keys(required))('explains a missing %s', async (name) => {
    const refused = config({ ...required, [name]: '' }, '--quiet');
    await expect(refused).rejects.toThrow(new RegExp(`${name} is missing a value: set it to`));
  });

  it('works with Docker Engine 20.10', async () => {
    for (const [name, { healthcheck = {} }] of Object.entries((await project()).services)) {
      // Engine 25.
      expect(healthcheck, name).not.toHaveProperty('start_interval');
    }
    expect(readFileSync(file, 'utf8')).toContain('Docker Engine 20.10 or newer');
  });

  it('starts instances and the consumer after their dependencies', async () => {
    const { app, consumer } = (await project()).services;
    for (const { depends_on: needs = {} } of [app ?? {}, consumer ?? {}]) {
      expect(Object.keys(needs).sort()).toEqual(['mongo', 'redis', 'suppliers']);
      for (const { condition } of Object.values(needs)) expect(condition).toBe('service_healthy');
    }
  });

  /** Settings that docker-compose.yml sets itself, with the reason. */
  const notPassedOn: Readonly<Record<string, string>> = {
    HOST: 'every address of the container',
    INSTANCE_ID: 'each instance needs one of its own',
    REDLOCK_URLS: 'there is one Redis',
  };
  const ofSuppliers = ['FLIGHT_FAILURE_RATE', 'HOTEL_FAILURE_RATE', 'SUPPLIER_LATENCY_MS'];

  it('passes every setting to the instances and the suppliers', async () => {
    const { app, suppliers } = (await project()).services;
    const given = new Set([
      ...Object.keys(app?.environment ?? {}),
      ...ofSuppliers,
      ...Object.keys(notPassedOn),
    ]);
    expect(settingNames.filter((name) => !given.has(name))).toEqual([]);
    expect(Object.keys(suppliers?.environment ?? {})).toEqual(expect.arrayContaining(ofSuppliers));
  });

  it('passes only the needed settings and secrets to the consumer', async () => {
    const { consumer, app } = (await project()).services;
    const names = [
      'DATABASE_URL',
      'REDIS_URL',
      'SUPPLIERS_URL',
      'SUPPLIERS_TOKEN',
      'SUPPLIER_TIMEOUT_MS',
      'LOG_LEVEL',
    ];
    expect(Object.keys(consumer?.environment ?? {}).sort()).toEqual([...names].sort());
    for (const name of names) expect(consumer?.environment?.[name]).toBe(app?.environment?.[name]);
  });

  it('passes set variables on and leaves the rest to the program’s defaults', async () => {
    const passedOn = (await readByTheFile()).filter((name) => name !== 'PUBLISH');
    const unset = (await project()).services;
    for (const { environment = {} } of Object.values(unset)) {
      expect(Object.values(environment)).not.toContain('');
    }
    const set = Object.fromEntries(passedOn.map((name) => [name, `value-of-${name}`]));
    const { services } = await project(set);
    const arrived = new Map(
      ['app', 'suppliers'].flatMap((name) => Object.entries(services[name]?.environment ?? {})),
    );
    expect(passedOn.filter((name) => arrived.get(name) !== set[name])).toEqual([]);
  });
});

describe('.env.example', { timeout: 60_000 }, () => {
  it('explains exactly the settings that docker-compose.yml reads', async () => {
    expect(
      example()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(await readByTheFile());
    expect(example().filter(({ explained }) => !explained)).toEqual([]);
  });

  it('sets the required settings and shows the defaults of the others', () => {
    expect(example().filter(({ isSet }) => isSet)).toMatchObject(
      Object.keys(required).map((name) => ({ name, value: '' })),
    );
    const { instanceId, ...defaults } = readConfig({});
    const shown = Object.fromEntries(example().map(({ name, value }) => [name, value]));
    expect(readConfig(shown)).toEqual({ ...defaults, instanceId });
    const unshown = example().filter(
      ({ name, value }) => value === '' && /RATE|LIMIT|_PER_|_MS$|ENGINE|CURRENCY|LOG/.test(name),
    );
    expect(unshown).toEqual([]);
  });

  it('is accepted once it is filled in', async () => {
    const filled = Object.fromEntries(
      example().map(({ name, value }) => [name, name in required ? 'x'.repeat(32) : value]),
    );
    await config(filled, '--quiet');
  });
});

describe('the health checks of docker-compose.yml', { timeout: 60_000 }, () => {
  /** Runs a service's health check against another local port. Returns its exit code. */
  async function check(service: string, port: number): Promise<number> {
    const [kind, program, ...parameters] = (await project()).services[service]?.healthcheck?.test ?? [];
    expect([kind, program]).toEqual(['CMD', 'node']);
    const moved = parameters.map((each) => each.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${port}`));
    return promisify(execFile)(process.execPath, moved, { env: {} }).then(
      () => 0,
      (error: { code: number }) => error.code,
    );
  }

  it('pass for a running instance and fail for a stopped one', async () => {
    const server = await spawnServer({ DATABASE_URL: `sqlite:${join(folder, 'booking.db')}` });
    const port = Number(new URL(server.origin).port);
    try {
      expect(await check('app', port)).toBe(0);
    } finally {
      await server.end('SIGTERM');
    }
    expect(await check('app', port)).toBe(1);
  });

  it('pass for running suppliers with a token and fail for stopped ones', async () => {
    const suppliers = await startNodeProcess({
      program: 'src/commands/suppliers.ts',
      parameters: ['--port', '0', '--ledger', ':memory:'],
      settings: { SUPPLIERS_TOKEN: required.SUPPLIERS_TOKEN },
      ready: /listen on http:\S+:(\d+)\//,
    });
    try {
      expect(await check('suppliers', Number(suppliers.match[1]))).toBe(0);
    } finally {
      await suppliers.end('SIGTERM');
    }
    expect(await check('suppliers', await freePort())).toBe(1);
  });

  it('use the port of each service', async () => {
    const { app, suppliers, consumer } = (await project()).services;
    expect(app?.healthcheck?.test?.join()).toContain(`127.0.0.1:${app?.environment?.PORT}/healthz`);
    expect(suppliers?.healthcheck?.test?.join()).toContain('127.0.0.1:8890/');
    const [, at] = /--port,(\d+)/.exec(consumer?.command?.join() ?? '') ?? [];
    expect(consumer?.healthcheck?.test?.join()).toContain(`127.0.0.1:${at}/healthz`);
  });

  it('are valid JavaScript if they are scripts', async () => {
    for (const { healthcheck } of Object.values((await project()).services)) {
      const [, program, ...parameters] = healthcheck?.test ?? [];
      if (program !== 'node' && program !== 'mongosh') continue;
      expect(() => new Script(parameters.at(-1) as string)).not.toThrow();
    }
  });
});
