import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startReceiver, type WebhookReceiver } from '../peers/receiver/start.ts';
import type { Deployment, SystemUnderTest, WebhookCounts } from '../testbed.ts';
import { auditBaseline, auditServer } from './audit.ts';
import type { Databases } from './databases.ts';
import type { Placement } from './placement.ts';
import type { Profiler } from './profiler.ts';
import { kinds, nodeFlags, type ServerKind, startServers } from './servers.ts';

export interface DeploymentParts {
  readonly databases: Databases;
  readonly placement: Placement;
  /** The folder in which each deployment gets a folder of its own. */
  readonly folder: string;
  readonly profiler: Profiler | undefined;
}

const defaults = {
  HOST: '127.0.0.1',
  PORT: '0',
  RATE_LIMIT: 'off',
  FLIGHT_FAILURE_RATE: '0',
  SUPPLIER_LATENCY_MS: '0',
  LOG_LEVEL: 'warn',
} as const;

/**
 * Starts a server under test in processes of its own, with a fresh database.
 * @throws Error with the server's output when it does not start; no process is left then.
 */
export async function startDeployment(subject: SystemUnderTest, parts: DeploymentParts): Promise<Deployment> {
  if (subject.kind === 'restate') return startPeer(subject, parts);
  const kind = kinds[subject.kind];
  if (kind === undefined) throw new Error(`there is no subject ${subject.kind}`);
  const { folder, placement, profiler } = parts;
  await using undo = new AsyncDisposableStack();
  const own = await mkdtemp(join(folder, 'deployment-'));
  undo.defer(() => rm(own, { recursive: true, force: true }));

  const { settings, databasePids, receiver } = await settingsOf(
    subject,
    kind,
    { ...parts, folder: own },
    undo,
  );
  const packages = await writePackages(own, subject);
  const { kind: name, instances = 1 } = subject;
  const processes = await startServers({ name, kind, settings, packages, instances, profiler }, undo);
  if (subject.placement !== 'free') await Promise.all(processes.map(({ pid }) => placement.pinServer(pid)));

  const origins = processes.flatMap(({ match }) => match.groups?.url ?? []).map(onLoopback);
  const all = undo.move();
  return {
    origins,
    pids: processes.map(({ pid }) => pid),
    databasePids,
    ...(receiver && { webhooks: () => countWebhooks(receiver, origins[0] as string, subject) }),
    audit: () => (kind.engine === undefined ? auditBaseline(origins[0] as string) : auditServer(settings)),
    stop: () => all.disposeAsync(),
  };
}

async function countWebhooks(
  receiver: WebhookReceiver,
  origin: string,
  { packages }: SystemUnderTest,
): Promise<WebhookCounts> {
  const counts = await Promise.all(packages.map(({ id }) => confirmedOf(`${origin}/api/packages/${id}`)));
  const confirmed = counts.reduce((sum, count) => sum + count, 0);
  const delivered = await receiver.taken();
  return { delivered, owed: Math.max(0, confirmed - delivered) };
}

async function confirmedOf(url: string): Promise<number> {
  const { confirmed } = (await (await fetch(url)).json()) as { readonly confirmed: number };
  return confirmed;
}

/** Downloads the peer at the first start. */
async function startPeer(
  { packages, settings = {} }: SystemUnderTest,
  { placement }: DeploymentParts,
): Promise<Deployment> {
  const { startRestate } = await import('../peers/restate/start.ts');
  const flags = { NODE_OPTIONS: (await nodeFlags()).join(' ') };
  const peer = await startRestate({ packages, settings: { ...flags, ...settings } });
  const { origin, pids, audit, stop } = peer;
  // The Restate server is its database, and runs on any core like ours.
  await placement.pinServer(peer.servicePid);
  return { origins: [origin], pids, databasePids: [], audit, stop };
}

async function settingsOf(
  subject: SystemUnderTest,
  kind: ServerKind,
  { databases, placement, folder }: DeploymentParts,
  undo: AsyncDisposableStack,
): Promise<{
  readonly settings: Readonly<Record<string, string>>;
  readonly databasePids: readonly number[];
  readonly receiver: WebhookReceiver | undefined;
}> {
  const settings: Record<string, string> = { ...defaults };
  const databasePids: number[] = [];
  if (kind.store === 'sqlite') settings.DATABASE_URL = `sqlite:${join(folder, 'booking.db')}`;
  if (kind.store === 'mongodb') {
    const { url, pids, drop } = await databases.freshMongo();
    undo.defer(drop);
    settings.DATABASE_URL = url;
    databasePids.push(...pids);
  }
  if (kind.needsRedis || (subject.instances ?? 1) > 1) {
    const { url, pids } = await databases.emptyRedis();
    settings.REDIS_URL = url;
    databasePids.push(...pids);
  }
  if (kind.engine !== undefined) settings.ENGINE = kind.engine;
  let receiver: WebhookReceiver | undefined;
  if (subject.webhooks) {
    receiver = await startReceiver(placement.clientUnder);
    undo.adopt(receiver, ({ end }) => end());
    settings.WEBHOOK_URL = receiver.url;
    settings.WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    settings.WEBHOOK_PRIVATE_ADDRESSES = 'on';
  }
  return { settings: { ...settings, ...subject.settings }, databasePids, receiver };
}

async function writePackages(folder: string, { packages }: SystemUnderTest): Promise<string> {
  const file = join(folder, 'packages.json');
  const rest = { flight: 'BENCH', stay: '2030-01-01', price: 100 };
  await writeFile(file, JSON.stringify({ packages: packages.map((each) => ({ ...each, ...rest })) }));
  return file;
}

/** The printed host name may resolve to several addresses. */
function onLoopback(url: string): string {
  return url.replace('//localhost', '//127.0.0.1');
}
