import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { HistoryEntry } from '../history.ts';

/**
 * The entries of a file of JSON lines, one after the other, so that a history of any length takes no memory.
 * @throws Error naming the line that is none. The last one may be cut off: a run that was killed leaves that.
 */
export async function* readHistory(file: string): AsyncGenerator<HistoryEntry> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
  let unread: { readonly number: number; readonly cause: unknown } | undefined;
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (unread) throw new Error(`line ${unread.number} of ${file} is no JSON`, { cause: unread.cause });
    if (line === '') continue;
    try {
      yield JSON.parse(line) as HistoryEntry;
    } catch (cause) {
      unread = { number, cause };
    }
  }
}
