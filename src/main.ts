import { compose, type Instance } from './compose.ts';
import { type Config, ConfigError, readConfig } from './ops/config.ts';
import { createLog } from './ops/log.ts';
import type { Log } from './ports/log.ts';

/** Starts the server, and stops it on SIGTERM or SIGINT. What keeps it from starting is said in one line. */
async function main(): Promise<void> {
  const config = readConfig();
  const log = createLog({ level: config.logLevel, instanceId: config.instanceId });
  warnOfShortSecret(config, log);
  const instance = await compose(config, log);
  const port = await instance.listen(config.port, config.host);
  console.log(`ticket-booking listens on http://${config.host ?? 'localhost'}:${port}`);
  stopOnSignal(instance, log);
}

/** Whoever guesses the secret can sign links to orders. */
function warnOfShortSecret({ secret }: Config, log: Log): void {
  if (secret !== undefined && secret.length < 32) {
    log.warn({}, 'SECRET has fewer than 32 characters: it can be guessed');
  }
}

function stopOnSignal(instance: Instance, log: Log): void {
  let isStopping = false;
  const stop = (signal: string) => {
    if (isStopping) return;
    isStopping = true;
    log.info({ signal }, 'draining');
    instance.close().then(
      () => process.exit(0),
      (err: unknown) => {
        log.error({ err }, 'the shutdown failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main().catch((error: unknown) => {
  console.error(
    error instanceof ConfigError ? error.message : `ticket-booking cannot start: ${reason(error)}`,
  );
  process.exit(1);
});

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return `${error.message}. Stop the other program or set PORT.`;
  return error.message;
}
