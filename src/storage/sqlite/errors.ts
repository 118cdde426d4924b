import { StoreUnavailableError } from '../store.ts';

/** Primary result codes of SQLite: https://www.sqlite.org/rescode.html */
export const sqliteCode = {
  busy: 5,
  locked: 6,
  noMemory: 7,
  readOnly: 8,
  interrupted: 9,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  protocol: 15,
  constraint: 19,
  notADatabase: 26,
} as const;

const { constraint: _, ...environmental } = sqliteCode;
/** Codes of errors that the disk or the file causes, not the statement. */
const unavailableCodes: ReadonlySet<number> = new Set(Object.values(environmental));

/** The primary result code of an error of SQLite; undefined for other errors. */
export function sqliteCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined;
  return error.errcode & 0xff;
}

/** Whether the store, not the request, is the cause. The same request may then work later. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof StoreUnavailableError) return true;
  const code = sqliteCodeOf(error);
  return code !== undefined ? unavailableCodes.has(code) : isClosed(error);
}

/** Converts an error whose cause is the store to the port's StoreUnavailableError. Returns other errors unchanged. */
export function asStoreError(error: unknown): unknown {
  return isUnavailable(error) ? unavailable(error) : error;
}

export function unavailable(error: unknown): StoreUnavailableError {
  if (error instanceof StoreUnavailableError) return error;
  const words = error instanceof Error ? error.message : String(error);
  return new StoreUnavailableError(`the database does not answer: ${words}`, { cause: error });
}

/** `node:sqlite` throws this error if a connection is used after it was closed. */
function isClosed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_STATE';
}
