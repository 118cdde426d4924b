import type { Context } from 'hono';
import { bindings } from '../../http/bindings.ts';
import { jsonHeaders } from '../../http/json.ts';
import type { Clock } from '../../lib/clock.ts';
import { type CsvCell, csvLine } from '../../lib/csv.ts';
import type { Log } from '../../observability/log.ts';
import type { Operator } from '../../storage/operator-log.ts';

/** A row by the names of its columns. A missing cell is empty. */
export type CsvRow<Column extends string> = { readonly [Name in Column]?: CsvCell };

/** A file that is made while it is sent. */
export interface CsvFile<Column extends string> {
  /** For example `orders.csv`. */
  readonly name: string;
  readonly columns: readonly Column[];
  /** Begins to read. Not called if the caller wants only the headers. */
  readonly open: () => Promise<AsyncGenerator<readonly CsvRow<Column>[]>>;
}

export interface SendCsvOptions {
  /** Whom the log names as the reader of the file. */
  readonly by: Operator;
  readonly log: Log;
  readonly clock: Pick<Clock, 'monotonic'>;
}

/** Proxies close a response that sends nothing for a minute, and this server closes it after two. */
const silenceMaxMs = 20_000;

/**
 * Answers with a CSV file (RFC 4180, UTF-8) for a download. The next page of rows is read only when the client has taken
 * the one before, so the answer needs the memory of a page, however long it is. If the client disconnects, no further
 * page is read. While no rows are found, a byte is sent now and then.
 *
 * An error before the first page sets the status. A later error resets the connection, because half a file must not look
 * complete. With HTTP/1.0, which some proxies speak, the ordinary end of a connection is the end of the file.
 */
export async function sendCsv<Column extends string>(
  c: Context,
  file: CsvFile<Column>,
  { by, log, clock }: SendCsvOptions,
): Promise<Response> {
  const headers = jsonHeaders({
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': `attachment; filename="${file.name}"`,
  });
  if (c.req.method === 'HEAD') return new Response(null, { status: 200, headers });
  const chunks = chunksOf(file.columns, await file.open(), clock);
  log.info({ file: file.name, operator: by.name, client: by.address }, 'an operator exports a file');
  let first: IteratorResult<Uint8Array> | undefined = await chunks.next();
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          let next = first ?? (await chunks.next());
          first = undefined;
          // One page at a time, so that a disconnect is noticed between two of them.
          while (!isCancelled && next.done !== true && next.value.length === 0) next = await chunks.next();
          if (isCancelled) return;
          if (next.done === true) controller.close();
          else controller.enqueue(next.value);
        } catch (err) {
          if (isCancelled) return;
          log.warn({ err, file: file.name }, 'a file was cut off while it was sent');
          const { incoming } = bindings(c);
          if (incoming === undefined) throw err;
          // The reset cancels this stream. If the error were thrown, node-server would print it beside the log.
          incoming.socket.resetAndDestroy();
        }
      },
      async cancel() {
        isCancelled = true;
        await chunks.return(undefined);
      },
    },
    // Nothing is read ahead.
    { highWaterMark: 0 },
  );
  return new Response(body, { status: 200, headers });
}

/**
 * The bytes of each page. The newest line is held back until another one follows; the first line has the columns. While
 * page after page has no rows, this line is sent byte by byte, which keeps the response alive: nothing else may stand
 * between two lines. A page may have no bytes.
 */
async function* chunksOf<Column extends string>(
  columns: readonly Column[],
  pages: AsyncGenerator<readonly CsvRow<Column>[]>,
  clock: SendCsvOptions['clock'],
): AsyncGenerator<Uint8Array> {
  let held = Buffer.from(csvLine(columns));
  let sentAt = clock.monotonic();
  for await (const rows of pages) {
    const lines = rows.map((row) => csvLine(columns.map((column) => row[column])));
    const last = lines.pop();
    let chunk: Uint8Array = held.subarray(0, 0);
    if (last !== undefined) {
      chunk = Buffer.concat([held, Buffer.from(lines.join(''))]);
      held = Buffer.from(last);
    } else if (clock.monotonic() - sentAt >= silenceMaxMs) {
      chunk = held.subarray(0, 1);
      held = held.subarray(1);
    }
    yield chunk;
    if (chunk.length > 0) sentAt = clock.monotonic();
  }
  yield held;
}
