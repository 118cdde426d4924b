/** The members of a log line. `instance` is reserved: every line has the id of the instance that writes it. */
export interface LogFields {
  readonly instance?: never;
  readonly [name: string]: unknown;
}

/** Structured log lines: fields first, then a message. Never pass emails. A pino logger implements this. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
