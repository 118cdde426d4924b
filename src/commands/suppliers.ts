import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { Hono } from 'hono';
import { startStep } from '../compose/start-step.ts';
import { ConfigError, readConfig, type SuppliersConfig } from '../config/config.ts';
import { inLines, refused } from '../config/config-error.ts';
import { supplierRoutes } from '../http/api/suppliers.ts';
import { onError, onNotFound } from '../http/problem.ts';
import { createServer } from '../http/server/server.ts';
import { onStopSignals } from '../lib/stop-signal.ts';
import { systemClock } from '../lib/system-clock.ts';
import { systemRandom } from '../lib/system-random.ts';
import type { Log } from '../observability/log.ts';
import { createLog } from '../observability/pino-log.ts';
import { openSqliteLedger } from '../storage/sqlite/ledger.ts';
import { simulatedSuppliers } from '../suppliers/simulated-suppliers.ts';
import type { SupplierLedger } from '../suppliers/suppliers.ts';
import { readSettings } from './settings.ts';

const usage = `npm run suppliers -- [options]

Runs the simulated airline and hotel in a process of their own. Point the server at them with
SUPPLIERS_URL=http://127.0.0.1:8890/api/suppliers

  --port <port>                 where to listen (8890); 0 takes any free port
  --host <address>              where to listen (127.0.0.1); beyond loopback SUPPLIERS_TOKEN must be set
  --ledger <file>               what keeps the reservations (./data/suppliers.db); :memory: keeps them
                                until the process ends
  --flight-failure-rate <rate>  how often a flight is refused, from 0 to 1 (FLIGHT_FAILURE_RATE, 0.5)
  --hotel-failure-rate <rate>   the same of a hotel (HOTEL_FAILURE_RATE, 0)
  --latency-ms <ms>             how long a reservation takes (SUPPLIER_LATENCY_MS, 0)
  --token <token>               what peers show to cancel and to read the ledger (SUPPLIERS_TOKEN);
                                without one every caller counts as a peer
  --help
`;

const flags = {
  port: { type: 'string', default: '8890' },
  host: { type: 'string', default: '127.0.0.1' },
  ledger: { type: 'string', default: './data/suppliers.db' },
  'flight-failure-rate': { type: 'string' },
  'hotel-failure-rate': { type: 'string' },
  'latency-ms': { type: 'string' },
  token: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: flags });
  if (values.help) return console.log(usage);
  const { port, suppliers } = readFlags(values);
  const environment = readSettings();
  const config = { ...environment.suppliers, ...suppliers };
  if (config.token === undefined && !isLoopback(values.host)) {
    throw new Error(`SUPPLIERS_TOKEN must be set to listen on ${values.host}: anybody could cancel there.`);
  }
  const log = createLog({ level: environment.logLevel, instanceId: 'suppliers' });
  const ledger = openSqliteLedger({ file: values.ledger });
  const server = createServer(suppliersApp(config, ledger, log), log);
  await startStep(`listening on port ${port}`, listen(server, port, values.host));
  stopOnSignal(server, ledger, log);
  const { port: bound } = server.address() as AddressInfo;
  const host = isIP(values.host) === 6 ? `[${values.host}]` : values.host;
  console.log(`suppliers listen on http://${host}:${bound}/api/suppliers`);
}

/** The settings that flags stand for. */
const settingOf: Readonly<Record<string, string>> = {
  port: 'PORT',
  'flight-failure-rate': 'FLIGHT_FAILURE_RATE',
  'hotel-failure-rate': 'HOTEL_FAILURE_RATE',
  'latency-ms': 'SUPPLIER_LATENCY_MS',
  token: 'SUPPLIERS_TOKEN',
};

/** What flags say, checked by the rules of the settings that they stand for. */
function readFlags(values: Readonly<Record<string, unknown>>): {
  readonly port: number;
  readonly suppliers: Partial<SuppliersConfig>;
} {
  const given = Object.keys(settingOf).filter((flag) => typeof values[flag] === 'string');
  try {
    const { port, suppliers } = readConfig(
      Object.fromEntries(given.map((flag) => [settingOf[flag], String(values[flag])])),
    );
    return {
      port,
      suppliers: {
        ...(given.includes('flight-failure-rate') ? { flightFailureRate: suppliers.flightFailureRate } : {}),
        ...(given.includes('hotel-failure-rate') ? { hotelFailureRate: suppliers.hotelFailureRate } : {}),
        ...(given.includes('latency-ms') ? { latencyMs: suppliers.latencyMs } : {}),
        ...(suppliers.token === undefined ? {} : { token: suppliers.token }),
      },
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = error.refusals.map(({ setting, value, allowed }) => {
      const flag = given.find((each) => settingOf[each] === setting);
      return `--${flag} ${refused(value, allowed)}`;
    });
    throw new Error(inLines(lines), { cause: error });
  }
}

function suppliersApp(config: SuppliersConfig, ledger: SupplierLedger, log: Log): Hono {
  const random = systemRandom();
  const suppliers = simulatedSuppliers({ ...config, ledger, random, clock: systemClock });
  const settings = config.token === undefined ? {} : { suppliersToken: config.token };
  const trust = config.token === undefined ? 'everyone' : 'token';
  const app = new Hono().route('/api/suppliers', supplierRoutes({ suppliers, settings, random }, { trust }));
  app.onError(onError(log));
  app.notFound(onNotFound());
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

/** Lets the answers under way go out, then closes the ledger. A second signal does not wait. */
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
