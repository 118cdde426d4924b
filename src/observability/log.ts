/** What a line is about. `instance` is there already: of the one that writes the line. */
export interface LogFields {
  readonly instance?: never;
  readonly [name: string]: unknown;
}

/** Structured log lines: fields first, then a sentence. Emails never go in. Pino's logger fits. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
