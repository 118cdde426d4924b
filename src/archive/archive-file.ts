import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ArchiveRecord } from './archive-record.ts';

/** The version of the format. */
const version = 1;
const newline = 0x0a;
const chunkBytes = 1 << 20;

/** The file is not an archive of this store, or is damaged. The message is one line. */
export class ArchiveFileError extends Error {
  override readonly name = 'ArchiveFileError';
}

/**
 * An archive: a file of JSON lines that only grows, in pages.
 *
 * ```
 * {"archive":"ticket-booking","version":1,"store":"<id of the store>"}
 * {"order":{…}}                          a record
 * {"page":{"records":1,"sha256":"…"}}    ends a page: the hash of its records' lines
 * ```
 *
 * A page without its last line was being written when the process was killed. Nothing of it was removed from the store,
 * so the next run cuts it off.
 */
export class ArchiveFile {
  readonly #file: FileHandle;
  readonly #path: string;
  #end: number;
  /** The last page, whose removal from the store a killed process may not have finished. */
  readonly lastPage: readonly ArchiveRecord[];

  private constructor(file: FileHandle, path: string, content: Content) {
    this.#file = file;
    this.#path = path;
    this.#end = content.end;
    this.lastPage = content.lastPage;
  }

  /**
   * Opens an archive, or makes it. It contains emails, so only its user may read it.
   * @param store the id of the store that is archived.
   * @throws ArchiveFileError if the file belongs to another program or store, or is damaged.
   */
  static async open(path: string, store: string): Promise<ArchiveFile> {
    const header = `${JSON.stringify({ archive: 'ticket-booking', version, store })}\n`;
    const file = await open(path, 'a+', 0o600);
    try {
      const content = await readContent(file, path, header);
      await file.truncate(content.end);
      const archive = new ArchiveFile(file, path, content);
      if (content.end === 0) {
        await archive.#write(Buffer.from(header));
        await syncFolder(dirname(path));
      }
      return archive;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Appends a page. Resolves with its records, as they were read back from the file after it was synced.
   * @throws ArchiveFileError if the file does not contain what was written.
   */
  async append(records: readonly ArchiveRecord[]): Promise<readonly ArchiveRecord[]> {
    const lines = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    const page = { records: records.length, sha256: sha256(lines) };
    return parsed(await this.#write(Buffer.concat([lines, Buffer.from(`${JSON.stringify({ page })}\n`)])));
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  /** Writes at the end, syncs, and returns the bytes that the file then has there. */
  async #write(bytes: Buffer): Promise<Buffer> {
    await this.#file.appendFile(bytes);
    await this.#file.sync();
    const reader = await open(this.#path, 'r');
    try {
      const found = Buffer.alloc(bytes.length);
      await reader.read(found, 0, found.length, this.#end);
      if (!found.equals(bytes)) {
        throw new ArchiveFileError(
          `${this.#path} does not contain what was written to it: is its disk broken?`,
        );
      }
      this.#end += bytes.length;
      return found;
    } finally {
      await reader.close();
    }
  }
}

interface Content {
  /** Where the last complete page ends; 0 if there is not even a header. */
  readonly end: number;
  readonly lastPage: readonly ArchiveRecord[];
}

/** Reads a whole archive and checks each page. @throws ArchiveFileError */
async function readContent(file: FileHandle, path: string, header: string): Promise<Content> {
  let end = 0;
  let lines: Buffer[] = [];
  let lastPage: readonly Buffer[] = [];
  for await (const { line, isWhole, endsAt } of linesOf(file)) {
    if (end === 0) {
      // The process that made the file may have been killed while it wrote the header.
      if (!isWhole && header.startsWith(line.toString())) return { end: 0, lastPage: [] };
      refuseForeign(line, path, header);
      end = endsAt;
      continue;
    }
    if (!isWhole) break;
    const page = pageEnd(line);
    if (page === undefined) {
      lines.push(line);
      continue;
    }
    if (page.records !== lines.length || page.sha256 !== sha256(Buffer.concat(lines))) {
      throw new ArchiveFileError(
        `${path} is damaged before its byte ${endsAt}: keep it, and archive to another file`,
      );
    }
    end = endsAt;
    lastPage = lines;
    lines = [];
  }
  return { end, lastPage: lastPage.map((line) => JSON.parse(line.toString()) as ArchiveRecord) };
}

function refuseForeign(line: Buffer, path: string, header: string): void {
  if (line.toString() === header) return;
  let found: { archive?: unknown; version?: unknown } | undefined;
  try {
    found = JSON.parse(line.toString()) as typeof found;
  } catch {
    // It is not even JSON.
  }
  if (found?.archive !== 'ticket-booking')
    throw new ArchiveFileError(`${path} is not an archive: choose another file`);
  const isNewer = found.version !== version;
  const why = isNewer ? 'was written by a newer release' : 'is the archive of another store';
  throw new ArchiveFileError(`${path} ${why}: choose another file`);
}

/** The end of a page; undefined for any other line. */
function pageEnd(line: Buffer): { readonly records: number; readonly sha256: string } | undefined {
  if (!line.subarray(0, pageStart.length).equals(pageStart)) return undefined;
  try {
    return (JSON.parse(line.toString()) as { page: { records: number; sha256: string } }).page;
  } catch {
    return undefined;
  }
}

const pageStart = Buffer.from('{"page":');

interface Line {
  /** With its line break. */
  readonly line: Buffer;
  /** False for the rest of the file behind the last line break. */
  readonly isWhole: boolean;
  readonly endsAt: number;
}

/** The lines of a file from its start. */
async function* linesOf(file: FileHandle): AsyncGenerator<Line> {
  let rest = Buffer.alloc(0);
  let endsAt = 0;
  for (let position = 0; ; ) {
    const chunk = Buffer.alloc(chunkBytes);
    const { bytesRead } = await file.read(chunk, 0, chunkBytes, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    for (let at = rest.indexOf(newline); at >= 0; at = rest.indexOf(newline)) {
      const line = rest.subarray(0, at + 1);
      rest = rest.subarray(at + 1);
      endsAt += line.length;
      yield { line, isWhole: true, endsAt };
    }
  }
  if (rest.length > 0) yield { line: rest, isWhole: false, endsAt: endsAt + rest.length };
}

/** The records of a page, from its bytes. */
function parsed(page: Buffer): readonly ArchiveRecord[] {
  const lines = page.toString().split('\n').slice(0, -2);
  return lines.map((line) => JSON.parse(line) as ArchiveRecord);
}

/** Makes the file's name durable. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
