import { type DestinationStream, type Logger, pino } from 'pino';
import { withoutPassword } from '../config/config-error.ts';

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
  if (!(error instanceof Error)) return shown(String(error));
  return {
    type: error.name,
    message: shown(error.message),
    stack: shown(error.stack ?? ''),
    ...(error.cause === undefined ? {} : { cause: errorFields(error.cause) }),
  };
}

/** Not the user of an address such as `mongodb://user@host`: that is known not to be a customer. */
const email = /(?<!:\/\/[^\s/]*)[^\s"'<>(){}[\],;:=/@]+(?:@|%40)[^\s"'<>(){}[\],;:=/@]+\.[a-z]{2,}/gi;

/** Others' error messages may repeat what they were given. */
function shown(text: string): string {
  return withoutPassword(text).replace(email, '(hidden)');
}
