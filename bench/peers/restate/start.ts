import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { arch, platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../test/support/free-port.ts';
import { startNodeProcess } from '../../../test/support/node-process.ts';
import type { Audit } from '../../baselines/order-route.ts';
import type { Offer } from '../../baselines/program.ts';
import { runCommand } from '../../runner/program.ts';
import { type RestatePorts, serverConfig } from './server-config.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const startMs = 60_000;

export interface RestateOptions {
  readonly packages: readonly Offer[];
  /** Environment variables of the service, which override its defaults. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A running Restate server with the service that it calls, which has the product's purchase route. */
export interface Restate {
  readonly origin: string;
  /** The server and the service. */
  readonly pids: readonly number[];
  /** The process with our route, which is pinned like the other servers. */
  readonly servicePid: number;
  audit(): Promise<Audit>;
  /** Ends both and deletes their data. */
  stop(): Promise<void>;
}

/**
 * Starts Restate on the loopback with its data in a temporary folder, and opens the sale. The first start installs this
 * folder's packages (the server's binary has 216 MB).
 * @throws Error with the server's output when it does not start.
 */
export async function startRestate({ packages, settings = {} }: RestateOptions): Promise<Restate> {
  await install();
  const folder = await mkdtemp(join(tmpdir(), 'ticket-booking-restate-'));
  await using parts = new AsyncDisposableStack();
  parts.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  const ports = { ingress: await freePort(), admin: await freePort(), node: await freePort() };
  const server = parts.adopt(await startServer(folder, ports), endServer);
  const offers = join(folder, 'packages.json');
  await writeFile(offers, JSON.stringify({ packages }));
  const service = parts.adopt(
    await startNodeProcess({
      program: 'bench/peers/restate/service.ts',
      parameters: ['--packages', offers],
      settings: {
        RESTATE_INGRESS: `http://127.0.0.1:${ports.ingress}`,
        RESTATE_ADMIN: `http://127.0.0.1:${ports.admin}`,
        // Otherwise it logs two lines for each purchase.
        RESTATE_LOGGING: 'WARN',
        NODE_ENV: 'production',
        ...settings,
      },
      ready: /listens on (?<url>http:\S+)/,
    }),
    async (process) => {
      await process.end('SIGTERM', 5_000);
    },
  );
  const origin = service.match.groups?.url as string;
  const all = parts.move();
  return {
    origin,
    pids: [server.pid as number, service.pid],
    servicePid: service.pid,
    audit: async () => (await (await fetch(`${origin}/audit`)).json()) as Audit,
    stop: () => all.disposeAsync(),
  };
}

function binary(): string {
  return join(here, `node_modules/@restatedev/restate-server-${platform()}-${arch()}/bin/restate-server`);
}

async function install(): Promise<void> {
  const isThere = await access(binary()).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  const { code, stderr } = await runCommand('npm', ['ci'], { cwd: here });
  if (code !== 0) throw new Error(`npm ci in bench/peers/restate failed: ${stderr.trim()}`);
}

async function startServer(folder: string, ports: RestatePorts): Promise<ChildProcess> {
  const file = join(folder, 'restate.toml');
  await writeFile(file, serverConfig(folder, ports));
  // Starts the binary directly: the package's script would be one more process to end.
  const child = spawn(binary(), ['--config-file', file, '--no-logo'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const endToo = () => child.kill('SIGKILL');
  process.once('exit', endToo);
  child.once('exit', () => process.off('exit', endToo));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-5_000);
    });
  }
  const isUp = async (url: string) => (await fetch(url).catch(() => undefined))?.ok ?? false;
  for (const deadline = Date.now() + startMs; Date.now() < deadline; await sleep(100)) {
    if (child.exitCode !== null) break;
    const health = [
      `http://127.0.0.1:${ports.admin}/health`,
      `http://127.0.0.1:${ports.ingress}/restate/health`,
    ];
    if ((await Promise.all(health.map(isUp))).every(Boolean)) return child;
  }
  await endServer(child);
  throw new Error(`restate-server did not start: ${output}`);
}

/** Without a graceful stop, because the data is deleted. */
async function endServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
