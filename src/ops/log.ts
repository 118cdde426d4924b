import { type DestinationStream, type Logger, pino } from 'pino';
import { withoutPassword } from './config-error.ts';

export interface LogOptions {
  readonly level: string;
  readonly instanceId: string;
  /** Standard output, where absent. */
  readonly destination?: DestinationStream;
}

/** Members that never reach a log, at the top and one level below it. */
const hidden = ['email', 'token', 'secret', 'key', 'authorization', 'cookie'];

/**
 * The program's log: one line of JSON per event, its level as a word and its time in ISO form. Emails and secrets
 * are left out where they come as fields, and passwords in the URLs of error messages are hidden.
 */
export function createLog({ level, instanceId, destination }: LogOptions): Logger {
  return pino(
    {
      level,
      base: { instance: instanceId },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: hidden.flatMap((name) => [name, `*.${name}`]), censor: '(hidden)' },
      serializers: { err: errorFields },
    },
    destination ?? pino.destination({ dest: 1, sync: true }),
  );
}

function errorFields(error: unknown): unknown {
  if (!(error instanceof Error)) return withoutPassword(String(error));
  return {
    type: error.name,
    message: withoutPassword(error.message),
    stack: withoutPassword(error.stack ?? ''),
    ...(error.cause === undefined ? {} : { cause: errorFields(error.cause) }),
  };
}
