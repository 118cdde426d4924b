import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { Hono } from 'hono';
import { simulationOptions } from '../compose/payments.ts';
import { startStep } from '../compose/start-step.ts';
import {
  type Config,
  ConfigError,
  readConfig,
  readSettings,
  type SuppliersConfig,
} from '../config/config.ts';
import { inLines, refused } from '../config/config-error.ts';
import { paymentProviderRoutes } from '../http/api/payment-provider.ts';
import { supplierRoutes } from '../http/api/suppliers.ts';
import { checkoutRoutes } from '../http/pages/checkout.ts';
import { onError, problem } from '../http/problem.ts';
import { createServer } from '../http/server/server.ts';
import { systemClock } from '../lib/clock.ts';
import { helpOf, type OptionValues, parse, text } from '../lib/command-line.ts';
import { defined } from '../lib/defined.ts';
import { isLoopback } from '../lib/loopback.ts';
import { systemRandom } from '../lib/random.ts';
import { onStopSignals } from '../lib/stop-signal.ts';
import type { Log } from '../observability/log.ts';
import { createLog } from '../observability/pino-log.ts';
import { openSqliteLedger } from '../storage/sqlite/ledger.ts';
import { deliverEvent, signedEvent } from '../suppliers/payment-events.ts';
import { SimulatedPayments } from '../suppliers/simulated-payments.ts';
import { simulatedSuppliers } from '../suppliers/simulated-suppliers.ts';
import type { PaymentEntry, SimulationLedger, SupplierLedger } from '../suppliers/suppliers.ts';

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
  'payment-pay-rate': text(
    'rate',
    'How often a payment is paid by itself, from 0 to 1 (PAYMENT_PAY_RATE, 0).',
  ),
  'payment-decline-rate': text(
    'rate',
    'How often a payment is declined by itself, from 0 to 1 (PAYMENT_DECLINE_RATE, 0).',
  ),
  'payment-events': text(
    'url',
    'Where events of payments are sent, signed with PAYMENTS_WEBHOOK_SECRET; without it none are sent.',
  ),
  token: text(
    'token',
    'Peers need it to cancel, to read the ledgers and for payments (SUPPLIERS_TOKEN); without one every caller counts as a peer.',
  ),
};

const command = {
  name: 'npm run suppliers',
  about:
    'Runs the simulated airline, hotel and payment provider in a process of their own. Point the server at them with\n' +
    'SUPPLIERS_URL=http://127.0.0.1:8890/api/suppliers and PAYMENTS=http://127.0.0.1:8890/api',
  options,
};

async function main(): Promise<void> {
  const values = parse(command, process.argv.slice(2));
  if (values === 'help') return console.log(helpOf(command));
  const { port, suppliers, payments } = readOptions(values);
  const environment = readSettings();
  const config = {
    suppliers: { ...environment.suppliers, ...suppliers },
    payments: { ...environment.payments, ...payments },
  };
  if (config.suppliers.token === undefined && !isLoopback(values.host)) {
    throw new Error(`SUPPLIERS_TOKEN must be set to listen on ${values.host}: anybody could cancel there.`);
  }
  const log = createLog({ level: environment.logLevel, instanceId: 'suppliers' });
  const ledger = openSqliteLedger({ file: values.ledger, log });
  const events = values['payment-events'];
  if (events !== undefined && !URL.canParse(events))
    throw new Error(`--payment-events ${events}: it must be a URL.`);
  const app = suppliersApp(config.suppliers, ledger, log);
  addPayments(app, { config, ledger, log, events });
  const server = createServer(app, log);
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
  'payment-pay-rate': 'PAYMENT_PAY_RATE',
  'payment-decline-rate': 'PAYMENT_DECLINE_RATE',
  token: 'SUPPLIERS_TOKEN',
} as const;
const settingOptions = Object.keys(settingOf) as (keyof typeof settingOf)[];

/** Checks the options by the rules of the settings that they override. */
function readOptions(values: OptionValues<typeof options>): {
  readonly port: number;
  readonly suppliers: Partial<SuppliersConfig>;
  readonly payments: Partial<Config['payments']>;
} {
  const given = settingOptions.filter((option) => values[option] !== undefined);
  try {
    const { port, suppliers, payments } = readConfig(
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
      payments: defined({
        payRate: isGiven('payment-pay-rate') ? payments.payRate : undefined,
        declineRate: isGiven('payment-decline-rate') ? payments.declineRate : undefined,
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

interface PaymentsOptions {
  readonly config: Pick<Config, 'payments' | 'suppliers'>;
  readonly ledger: SimulationLedger;
  readonly log: Log;
  /** Where events are sent. */
  readonly events: string | undefined;
}

/** Adds the payment provider, and its page for buyers. */
function addPayments(app: Hono, { config, ledger, log, events }: PaymentsOptions): void {
  const { webhookSecret, token = config.suppliers.token } = config.payments;
  if (events !== undefined && webhookSecret === undefined)
    throw new Error('--payment-events needs PAYMENTS_WEBHOOK_SECRET, which signs the events.');
  const sources = { clock: systemClock, random: systemRandom() };
  const sendEvent = async (payment: PaymentEntry): Promise<void> => {
    if (events === undefined || webhookSecret === undefined) return;
    await deliverEvent(signedEvent(payment, webhookSecret, sources), events, systemClock);
  };
  const options = simulationOptions({ config, ledger: ledger.payments, log });
  const provider = new SimulatedPayments({ ...options, sendEvent });
  app.route('/api/payments', paymentProviderRoutes({ provider, token }));
  app.route('/checkout', checkoutRoutes(provider, {}));
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
