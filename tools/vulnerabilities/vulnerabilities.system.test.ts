import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { environmentOf } from '../../test/support/node-process.ts';

const program = join(import.meta.dirname, 'command.ts');

interface Advisory {
  readonly severity: string;
  readonly vulnerable_versions: string;
}

let folder: string;
let registry: Server;
/** Answers a request for advisories. Undefined: as a registry without that endpoint. */
let answer: ((names: readonly string[]) => object) | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ticket-booking-vulnerabilities-'));
  registry = createServer((request, response) => void respond(request, response));
  await once(registry.listen(0, '127.0.0.1'), 'listening');
});
afterEach(async () => {
  registry.closeAllConnections();
  await new Promise((resolve) => registry.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader('content-type', 'application/json');
  if (request.url !== '/-/npm/v1/security/advisories/bulk' || answer === undefined) {
    response.writeHead(404).end('{"error":"not found"}');
    return;
  }
  const isCompressed = request.headers['content-encoding'] === 'gzip';
  const asked = (await json(isCompressed ? request.pipe(createGunzip()) : request)) as object;
  response.end(JSON.stringify(answer(Object.keys(asked))));
}

/** Scans a lockfile with two packages by a registry of this test, with the real npm. */
async function scan(): Promise<{ code: number; output: string }> {
  const root = { name: 'scanned', version: '1.0.0', dependencies: { sold: '1.0.0', booked: '2.0.0' } };
  const packages = {
    '': root,
    'node_modules/sold': { version: '1.0.0' },
    'node_modules/booked': { version: '2.0.0' },
  };
  await writeFile(join(folder, 'package.json'), JSON.stringify(root));
  await writeFile(
    join(folder, 'package-lock.json'),
    JSON.stringify({ ...root, lockfileVersion: 3, requires: true, packages }),
  );
  const { port } = registry.address() as AddressInfo;
  const env = environmentOf({
    HOME: folder,
    npm_config_registry: `http://127.0.0.1:${port}/`,
    npm_config_update_notifier: 'false',
  });
  return new Promise((resolve) => {
    execFile(process.execPath, [program], { cwd: folder, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

const advisories: Readonly<Record<string, Advisory>> = {
  minimist: { severity: 'critical', vulnerable_versions: '<0.2.4' },
};

/** A registry that knows these advisories. */
function knowing(known: Readonly<Record<string, Advisory>>) {
  return (names: readonly string[]) =>
    Object.fromEntries(
      names
        .filter((name) => known[name] !== undefined)
        .map((name, id) => [
          name,
          [{ id, title: `A hole in ${name}`, url: `https://advisories.example/${name}`, ...known[name] }],
        ]),
    );
}

describe('npm run vulnerabilities', () => {
  it('exits 0 if no package has an advisory', async () => {
    answer = knowing(advisories);
    const { code, output } = await scan();
    expect(output).toBe('Of 2 packages, 0 have a high or critical vulnerability, and 0 have lower ones.\n');
    expect(code).toBe(0);
  });

  it.each(['high', 'critical'])('exits 1 and names a package with a %s advisory', async (severity) => {
    answer = knowing({ ...advisories, sold: { severity, vulnerable_versions: '<1.0.1' } });
    const { code, output } = await scan();
    expect(output).toContain(
      `${severity}: sold: A hole in sold, <1.0.1, https://advisories.example/sold\nOf 2 packages, 1 have`,
    );
    expect(code).toBe(1);
  });

  it('exits 0 with the number of lower ones', async () => {
    answer = knowing({ ...advisories, booked: { severity: 'moderate', vulnerable_versions: '*' } });
    const { code, output } = await scan();
    expect(output).toContain('and 1 have lower ones');
    expect(code).toBe(0);
  });

  it('exits 3 and says why if the registry has no advisories', async () => {
    answer = undefined;
    const missing = await scan();
    expect(missing.output).toBe(
      'LEFT OUT: the scan for vulnerabilities: the registry gives no advisories: it answers 404.\n',
    );
    expect(missing.code).toBe(3);
    answer = () => ({});
    const empty = await scan();
    expect(empty.output).toContain('LEFT OUT: the scan for vulnerabilities: the registry has no advisories');
    expect(empty.code).toBe(3);
  });

  it('exits 3 if no registry is in reach', async () => {
    registry.on('connection', (socket) => socket.destroy());
    const { code, output } = await scan();
    expect(output).toMatch(
      /^LEFT OUT: the scan for vulnerabilities: the registry gives no advisories: .+\.\n$/,
    );
    expect(code).toBe(3);
  });
});
