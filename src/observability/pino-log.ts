import { type DestinationStream, type Logger, pino } from 'pino';
import { withoutPassword } from '../config/config-error.ts';
import { defined } from '../lib/defined.ts';

export interface LogOptions {
  readonly level: string;
  readonly instanceId: string;
  /** Where the lines are written. Default: standard output. */
  readonly destination?: DestinationStream;
}

/** Members whose values are never logged, whether they stand at the top level of a line or one level below. */
const hidden = ['email', 'token', 'secret', 'key', 'authorization', 'cookie'];

/**
 * The program's log: one line of JSON per event, with the level as a word and the time in ISO form. The values of
 * `hidden` members are replaced, and so are emails and the passwords of URLs in error messages.
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
  if (!(error instanceof Error)) return redacted(String(error));
  const { name: type, message, stack = '', cause } = error;
  return {
    type,
    message: redacted(message),
    stack: redacted(stack),
    ...defined({ cause: cause === undefined ? undefined : errorFields(cause) }),
  };
}

/**
 * Matches emails. Does not match the user name in a URL such as `mongodb://user@host`, because it never names a
 * customer.
 */
const email = /(?<!:\/\/[^\s/]*)[^\s"'<>(){}[\],;:=/@]+(?:@|%40)[^\s"'<>(){}[\],;:=/@]+\.[a-z]{2,}/gi;

/** Hides emails and passwords, because error messages of libraries may repeat their input. */
function redacted(text: string): string {
  return withoutPassword(text).replace(email, '(hidden)');
}
