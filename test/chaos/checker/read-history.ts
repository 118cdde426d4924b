import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { HistoryEntry } from '../history.ts';

/**
 * Yields the entries of a file of JSON lines one by one, so that memory does not grow with the history.
 * @throws Error with the number of an invalid line. The last line may be incomplete, because the run may have been
 * killed.
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
