import { compose, type Instance } from './compose/compose.ts';
import { attachConnectionLimits } from './compose/limits.ts';
import { startStep } from './compose/start-step.ts';
import { type Config, ConfigError, readConfig, settingWarnings } from './config/config.ts';
import { createStartupApp } from './http/health.ts';
import { listenAt } from './http/server/listen.ts';
import { createServer } from './http/server/server.ts';
import { isLoopback } from './lib/loopback.ts';
import { onStopSignals } from './lib/stop-signal.ts';
import type { Log } from './observability/log.ts';
import { createLog } from './observability/pino-log.ts';
import { StoreUnavailableError } from './storage/store.ts';

/** How often the start tries again to reach the store. */
const lookEveryMs = 1_000;

/** Starts the server, and stops it on SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const config = readConfig();
  const log = createLog({ level: config.logLevel, instanceId: config.instanceId });
  for (const warning of settingWarnings()) log.warn({}, warning);
  warnOfGuessable(config, log);
  warnOfLocalLinks(config, log);
  let stop: (exitCode: number) => void = (exitCode) => process.exit(exitCode);
  let areHeard = false;
  const hearSignals = () => {
    if (areHeard) return;
    areHeard = true;
    onStopSignals(() => stop(0), { signals: ['SIGTERM', 'SIGINT'] });
  };
  // As long as there is nothing to drain, signals end the process by themselves, also if it hangs. Process 1 of a
  // container is the exception: it has to handle them.
  if (process.pid === 1) hearSignals();
  const { instance, port } = await start(config, log, { stop: (exitCode) => stop(exitCode), hearSignals });
  stop = stopperFor(instance, log);
  hearSignals();
  console.log(`ticket-booking listens on http://${config.host ?? 'localhost'}:${port}`);
}

interface Started {
  readonly instance: Instance;
  readonly port: number;
}

/** With the secret, anybody can sign links to orders; with the admin token, anybody can change everything. */
function warnOfGuessable({ secret, adminToken }: Config, log: Log): void {
  for (const [setting, value, least] of [
    ['SECRET', secret, 32],
    ['ADMIN_TOKEN', adminToken, 20],
  ] as const) {
    if (value === undefined || value.length >= least) continue;
    log.warn({}, `${setting} has fewer than ${least} characters: it can be guessed`);
  }
}

/**
 * Mails and payment providers lead buyers back to the server. The page of the simulated provider is at the server itself,
 * so it is out of reach only for buyers at other machines.
 */
function warnOfLocalLinks({ publicOrigin, notifications, payments, host }: Config, log: Log): void {
  if (publicOrigin !== undefined) return;
  const { provider } = payments;
  const isOwn = provider === undefined || provider === 'simulated';
  if (notifications.mail !== undefined || !isOwn)
    log.warn({}, 'PUBLIC_ORIGIN is not set: links in mails and of the payment provider lead to localhost');
  else if (provider === 'simulated' && (host === undefined || !isLoopback(host)))
    log.warn({}, 'PUBLIC_ORIGIN is not set: links to the pages of simulated payments lead to localhost');
}

interface Control {
  readonly stop: (exitCode: number) => void;
  /** Makes SIGTERM and SIGINT call `stop`. */
  readonly hearSignals: () => void;
}

/** Composes the instance. If the store does not answer, waits for it and answers requests with 503. */
async function start(config: Config, log: Log, { stop, hearSignals }: Control): Promise<Started> {
  const onFenced = (packageId: number) => {
    log.error(
      { packageId },
      'another instance works on the same store: this one stops. Several need REDIS_URL.',
    );
    stop(1);
  };
  const onDuplicate = () => {
    log.error({}, 'another running instance has the same INSTANCE_ID: this one stops. Each needs its own.');
    stop(1);
  };
  const onDrain = () => stop(0);
  const tryOnce = () => compose({ config, log, onFenced, onDuplicate, onDrain });
  try {
    const instance = await tryOnce();
    return { instance, port: await instance.listen(config.port, config.host) };
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    hearSignals();
    return waitForStore(config, log, error, tryOnce);
  }
}

async function waitForStore(
  config: Config,
  log: Log,
  first: StoreUnavailableError,
  tryOnce: () => Promise<Instance>,
): Promise<Started> {
  let missing = first.message;
  log.warn({}, `waiting for the store, which cannot be reached: ${missing}`);
  const room = createServer(
    createStartupApp(config.instanceId, () => missing),
    log,
  );
  // Closes each connection, so that the next request of its client reaches the instance.
  room.prependListener('request', (_request, response) => {
    response.shouldKeepAlive = false;
  });
  attachConnectionLimits(room, config);
  await startStep(
    `listening on port ${config.port}`,
    listenAt(room, { port: config.port, host: config.host }),
  );
  console.error(`ticket-booking waits for its store: ${missing}`);
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    try {
      const instance = await tryOnce();
      const port = await instance.listenInsteadOf(room);
      return { instance, port };
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      missing = error.message;
    }
  }
}

function stopperFor(instance: Instance, log: Log): (exitCode: number) => void {
  let isStopping = false;
  return (exitCode) => {
    if (isStopping) return;
    isStopping = true;
    log.info({}, 'draining');
    instance.close().then(
      () => process.exit(exitCode),
      (err: unknown) => {
        log.error({ err }, 'the shutdown failed');
        process.exit(1);
      },
    );
  };
}

main().catch((error: unknown) => {
  if (error instanceof ConfigError) console.error([error.message, ...settingWarnings()].join('\n'));
  else console.error(`ticket-booking cannot start: ${reason(error)}`);
  process.exit(1);
});

/** Advice for errors of `listen`. */
const listenAdvice: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Stop the other program or set PORT.',
  EACCES: 'Set PORT to 1024 or more.',
  EADDRNOTAVAIL: 'Set HOST to an address of this machine.',
  ENOTFOUND: 'Set HOST to an address of this machine.',
};

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? error.code : undefined;
  const advice = typeof code === 'string' && listenAdvice[code];
  return advice ? `${error.message}. ${advice}` : error.message;
}
