import type { Log } from '../../src/observability/log.ts';

/** A log that records its messages, except debug messages. */
export interface RecordingLog extends Log {
  readonly lines: readonly string[];
}

export function recordingLog(): RecordingLog {
  const lines: string[] = [];
  const write = (_fields: object, message: string) => {
    lines.push(message);
  };
  return { lines, debug() {}, info: write, warn: write, error: write };
}
