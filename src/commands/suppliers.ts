import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { Hono } from 'hono';
import { startStep } from '../compose/start-step.ts';
import { ConfigError, readConfig, readSettings, type SuppliersConfig } from '../config/config.ts';
import { inLines, refused } from '../config/config-error.ts';
import { supplierRoutes } from '../http/api/suppliers.ts';
import { onError, problem } from '../http/problem.ts';
import { createServer } from '../http/server/server.ts';
import { systemClock } from '../lib/clock.ts';
import { helpOf, type OptionValues, parse, text } from '../lib/command-line.ts';
import { defined } from '../lib/defined.ts';
import { systemRandom } from '../lib/random.ts';
import { onStopSignals } from '../lib/stop-signal.ts';
import type { Log } from '../observability/log.ts';
import { createLog } from '../observability/pino-log.ts';
import { openSqliteLedger } from '../storage/sqlite/ledger.ts';
import { simulatedSuppliers } from '../suppliers/simulated-suppliers.ts';
import type { SupplierLedger } from '../suppliers/suppliers.ts';

const options = {
  port: text('port', 'The port to listen on; 0 takes any free port.', '8890'),
  host: text(
    'address',
    'The address to listen on; beyond loopback SUPPLIERS_TOKEN must be set.',
    '127.0.0.1',
  ),
  ledger: text(
    'file',
    'The file of the reservations; :memory: keeps them until the end.',
    './data/suppliers.db',
  ),
  'flight-failure-rate': text(
    'rate',
    'How often a flight is refused, from 0 to 1 (FLIGHT_FAILURE_RATE, 0.5).',
  ),
  'hotel-failure-rate': text('rate', 'How often a hotel is refused, from 0 to 1 (HOTEL_FAILURE_RATE, 0).'),
  'latency-ms': text('ms', 'How long a reservation takes (SUPPLIER_LATENCY_MS, 0).'),
  token: text(
    'token',
    'Peers need it to cancel and to read the ledger (SUPPLIERS_TOKEN); without one every caller counts as a peer.',
  ),
};

const command = {
  name: 'npm run suppliers',
  about:
    'Runs the simulated airline and hotel in a process of their own. Point the server at them with\n' +
    'SUPPLIERS_URL=http://127.0.0.1:8890/api/suppliers',
  options,
};

async function main(): Promise<void> {
  const values = parse(command, process.argv.slice(2));
  if (values === 'help') return console.log(helpOf(command));
  const { port, suppliers } = readOptions(values);
  const environment = readSettings();
  const config = { ...environment.suppliers, ...suppliers };
  if (config.token === undefined && !isLoopback(values.host)) {
    throw new Error(`SUPPLIERS_TOKEN must be set to listen on ${values.host}: anybody could cancel there.`);
  }
  const log = createLog({ level: environment.logLevel, instanceId: 'suppliers' });
  const ledger = openSqliteLedger({ file: values.ledger, log });
  const server = createServer(suppliersApp(config, ledger, log), log);
  await startStep(`listening on port ${port}`, listen(server, port, values.host));
  stopOnSignal(server, ledger, log);
  const { port: bound } = server.address() as AddressInfo;
  const host = isIP(values.host) === 6 ? `[${values.host}]` : values.host;
  console.log(`suppliers listen on http://${host}:${bound}/api/suppliers`);
}

/** The setting that each option overrides. */
const settingOf = {
  port: 'PORT',
  'flight-failure-rate': 'FLIGHT_FAILURE_RATE',
  'hotel-failure-rate': 'HOTEL_FAILURE_RATE',
  'latency-ms': 'SUPPLIER_LATENCY_MS',
  token: 'SUPPLIERS_TOKEN',
} as const;
const settingOptions = Object.keys(settingOf) as (keyof typeof settingOf)[];

/** Checks the options by the rules of the settings that they override. */
function readOptions(values: OptionValues<typeof options>): {
  readonly port: number;
  readonly suppliers: Partial<SuppliersConfig>;
} {
  const given = settingOptions.filter((option) => values[option] !== undefined);
  try {
    const { port, suppliers } = readConfig(
      Object.fromEntries(given.map((option) => [settingOf[option], values[option]])),
    );
    const isGiven = (option: keyof typeof settingOf) => values[option] !== undefined;
    return {
      port,
      suppliers: defined({
        flightFailureRate: isGiven('flight-failure-rate') ? suppliers.flightFailureRate : undefined,
        hotelFailureRate: isGiven('hotel-failure-rate') ? suppliers.hotelFailureRate : undefined,
        latencyMs: isGiven('latency-ms') ? suppliers.latencyMs : undefined,
        token: suppliers.token,
      }),
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = error.refusals.map(({ setting, value, allowed }) => {
      const option = given.find((each) => settingOf[each] === setting);
      return `--${option} ${refused(value, allowed)}`;
    });
    throw new Error(inLines(lines), { cause: error });
  }
}

function suppliersApp(config: SuppliersConfig, ledger: SupplierLedger, log: Log): Hono {
  const random = systemRandom();
  const suppliers = simulatedSuppliers({ ...config, ledger, random, clock: systemClock });
  const settings = { publicSuppliers: config.arePublic, ...defined({ suppliersToken: config.token }) };
  const trust = config.token === undefined ? 'everyone' : 'token';
  const app = new Hono().route('/api/suppliers', supplierRoutes({ suppliers, settings, random }, { trust }));
  app.onError(onError(log));
  app.notFound((c) => problem(c, 'unknown_route'));
  return app;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  server.listen({ port, host, backlog: 4096 });
  try {
    await once(server, 'listening');
  } catch (error) {
    const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    throw taken ? new Error(`port ${port} of ${host} is in use: choose another one with --port.`) : error;
  }
}

/** Sends the answers in flight, then closes the ledger. A second signal ends the process at once. */
function stopOnSignal(server: Server, ledger: SupplierLedger, log: Log): void {
  const stop = async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 3000).unref();
    await closed;
    await ledger.close();
  };
  const onSignal = () => {
    stop().then(
      () => process.exit(0),
      (err: unknown) => {
        log.error({ err }, 'the shutdown failed');
        process.exit(1);
      },
    );
  };
  onStopSignals(onSignal, { again: () => process.exit(1) });
}

main().catch((error: unknown) => {
  console.error(`suppliers cannot start: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});
