import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { HistoryEntry } from './history.ts';

/** A file to which the history is appended during the run. */
export interface HistoryFile {
  readonly file: string;
  write(entry: HistoryEntry): void;
  /** Resolves when all entries are on the disk. */
  close(): Promise<void>;
}

/** @throws Error when the file cannot be written. */
export async function openHistory(file: string): Promise<HistoryFile> {
  const stream = createWriteStream(file);
  await once(stream, 'open');
  let failure: Error | undefined;
  stream.on('error', (error) => {
    failure = error;
  });
  return {
    file,
    write(entry) {
      if (failure !== undefined) throw failure;
      stream.write(`${JSON.stringify(entry)}\n`);
    },
    async close() {
      stream.end();
      await once(stream, 'close');
      if (failure !== undefined) throw failure;
    },
  };
}
