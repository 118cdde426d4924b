import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Config, readConfig, warnOfUnknownSettings } from '../../src/config/config.ts';
import {
  choice,
  type OptionValues,
  runCommand,
  text,
  UsageError,
  whole,
} from '../../src/lib/command-line.ts';
import { defined } from '../../src/lib/defined.ts';
import { stopSignal } from '../../src/lib/stop-signal.ts';
import { type Cluster, type EngineName, startCluster } from '../../test/support/cluster.ts';
import { freePort } from '../../test/support/free-port.ts';
import { type Balancer, startBalancer } from './balancer.ts';
import { benchHint } from './bench-hint.ts';

const options = {
  instances: whole('count', 'Server processes.', { min: 1, max: 32, default: 3 }),
  port: whole('port', 'The port of the balancer. The instances take the ports after it. 0: free ports.', {
    max: 65_535,
    default: 8880,
  }),
  data: text('folder', 'Keeps orders and reservations there; without it they are deleted at the end.'),
  engine: choice('The booking engine.', ['actor', 'lock', 'queue'], 'actor'),
  suppliers: text(
    'url',
    'Suppliers that run already; without it: the simulated ones, in a process of their own.',
  ),
  members: choice('Members of the MongoDB replica set.', ['1', '3'], '1'),
};

const command = {
  name: 'npm run cluster',
  about:
    'Runs a whole cluster on this machine: a MongoDB replica set, Redis, the suppliers, the instances and a load\n' +
    'balancer in front of them, from what is on the machine. Settings of the environment hold for every instance\n' +
    '(FLIGHT_FAILURE_RATE=0 npm run cluster). What they log goes to standard error, each line with its instance.\n' +
    'Ctrl-C or SIGTERM stops it all, instances first.',
  options,
};

async function run(given: OptionValues<typeof options>): Promise<number> {
  const { instances, engine, suppliers: suppliersUrl } = given;
  if (given.port + instances > 65_535) throw new UsageError('--port must leave a port for each instance');
  const members = given.members === '3' ? 3 : 1;
  if (suppliersUrl !== undefined && !URL.canParse(suppliersUrl))
    throw new UsageError(`--suppliers takes a URL, not '${suppliersUrl}'`);
  const folder = given.data === undefined ? undefined : resolve(given.data);
  if (folder !== undefined) await mkdir(folder, { recursive: true });

  warnOfUnknownSettings();
  const port = given.port === 0 ? await freePort({ isKept: true }) : given.port;
  const config = configOf(engine, `http://127.0.0.1:${port}`);
  const stopped = stopSignal(1);
  await using parts = new AsyncDisposableStack();
  const cluster = parts.adopt(
    await startCluster({
      instances,
      engine,
      members,
      firstPort: given.port === 0 ? 0 : port + 1,
      // The balancer adds the clients' addresses. Buyers who pay come back through it.
      settings: { TRUST_PROXY: 'on', ...defined({ PUBLIC_ORIGIN: config.publicOrigin }) },
      inherit: true,
      detached: true,
      onLine: (line) => console.error(line),
      onProgress(what) {
        if (stopped.aborted) throw new Error('Stopped before it was up.');
        console.log(`starting ${what} …`);
      },
      ...defined({ folder, suppliersUrl }),
    }),
    (each) => each.end(),
  );
  const balancer = parts.adopt(
    await startBalancer({ origins: cluster.origins, port, host: '127.0.0.1' }),
    (each) => each.close(),
  );
  if (!stopped.aborted) tell(cluster, balancer, config);
  watch(cluster, stopped);
  await aborted(stopped);
  console.log('\nstopping …');
  // The balancer keeps running while the instances drain, to pass on their last answers.
  await cluster.end();
  return 0;
}

/**
 * The settings of the instances, as far as they are known before anything starts. With payments, buyers come back to the
 * balancer unless `PUBLIC_ORIGIN` says otherwise.
 * @param balancer its origin
 * @throws ConfigError if a setting of the environment is wrong, or contradicts another one or the engine.
 */
function configOf(engine: EngineName, balancer: string): Config {
  // The cluster has addresses of its own for the databases, whatever the environment has.
  const ofCluster = { ENGINE: engine, DATABASE_URL: 'mongodb://127.0.0.1', REDIS_URL: 'redis://127.0.0.1' };
  const { PAYMENTS = 'off', PUBLIC_ORIGIN } = process.env;
  const returning = PAYMENTS === 'off' || PAYMENTS === '' ? PUBLIC_ORIGIN : PUBLIC_ORIGIN || balancer;
  return readConfig({ ...process.env, ...ofCluster, PUBLIC_ORIGIN: returning });
}

function tell(cluster: Cluster, balancer: Balancer, config: Config): void {
  const { mongo, redis, suppliersUrl, instances, consumer } = cluster;
  const { provider } = config.payments;
  const payments = provider === 'simulated' ? `simulated, at ${config.publicOrigin}/checkout/…` : provider;
  const lines: (readonly [string, string])[] = [
    ['balancer', `${balancer.origin}/order`],
    ...instances.map(({ id, origin, pid }) => [id, `${origin}   pid ${pid}`] as const),
    ...(consumer === undefined ? [] : [['consumer', `pid ${consumer.pid}`] as const]),
    ['MongoDB', mongo.url],
    ['Redis', redis.url],
    ['suppliers', suppliersUrl],
    ...(payments === undefined ? [] : [['payments', payments] as const]),
  ];
  console.log(`\n${lines.map(([name, where]) => `  ${name.padEnd(12)} ${where}`).join('\n')}\n`);
  for (const line of hint(cluster, config)) console.log(line);
  console.log('\nThe cluster is up. Ctrl-C stops it.');
}

function hint({ origins }: Cluster, { limits, adminToken }: Config): string[] {
  return benchHint({ origins, purchases: limits?.purchases, hasAdminToken: adminToken !== undefined });
}

/** Reports a process that ended by itself. The balancer continues with the others. */
function watch({ instances, suppliers, consumer }: Cluster, stopped: AbortSignal): void {
  const parts = [
    ...instances.map(({ id, ended }) => ({ name: id, ended })),
    ...(suppliers === undefined ? [] : [{ name: 'suppliers', ended: suppliers.ended }]),
    ...(consumer === undefined ? [] : [{ name: 'consumer', ended: consumer.ended }]),
  ];
  for (const { name, ended } of parts) {
    void ended.then((code) => {
      if (stopped.aborted) return;
      console.error(`${name} has ended ${code === null ? 'by a signal' : `with exit code ${code}`}.`);
    });
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
}

if (import.meta.main) await runCommand(command, run);
