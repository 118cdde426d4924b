import {
  MongoAPIError,
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoError,
  MongoErrorLabel,
  MongoExpiredSessionError,
  MongoNotConnectedError,
  MongoServerClosedError,
  MongoServerError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
} from 'mongodb';
import { SnapshotExpiredError, StoreUnavailableError } from '../store.ts';

/** Error codes of MongoDB: https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml */
export const mongoCode = {
  unauthorized: 13,
  authenticationFailed: 18,
  maxTimeExpired: 50,
  writeConflict: 112,
  snapshotTooOld: 239,
  duplicateKey: 11_000,
} as const;

/**
 * Codes of errors that the server or the network causes, so the same request may work later. Any other code counts as
 * an error of the request, so that one bad request cannot delay the others.
 */
const unavailableCodes: ReadonlySet<unknown> = new Set<number>([
  ...Object.values({
    hostUnreachable: 6,
    hostNotFound: 7,
    networkTimeout: 89,
    writeConcernTimeout: 64,
    socketException: 9001,
    networkInterfaceExceededTimeLimit: 202,
    connectionPoolExpired: 317,
    tooManyFilesOpen: 264,
  }),
  ...Object.values({
    shutdownInProgress: 91,
    notYetInitialized: 94,
    primarySteppedDown: 189,
    keyNotFound: 211,
    electionInProgress: 216,
    legacyNotPrimary: 10_058,
    notWritablePrimary: 10_107,
    interruptedAtShutdown: 11_600,
    interruptedDueToReplStateChange: 11_602,
    notPrimaryNoSecondaryOk: 13_435,
    notPrimaryOrSecondary: 13_436,
    failedToSatisfyReadPreference: 133,
    readConcernMajorityNotAvailableYet: 134,
  }),
  ...Object.values({
    lockTimeout: 24,
    cursorNotFound: 43,
    queryPlanKilled: 175,
    cursorKilled: 237,
    snapshotUnavailable: 246,
    transactionTooOld: 225,
    noSuchTransaction: 251,
    exceededTimeLimit: 262,
    clientDisconnect: 279,
    transactionExceededLifetimeLimit: 290,
    interruptedDueToStorageChange: 355,
    interrupted: 11_601,
  }),
  ...Object.values({
    temporarilyUnavailable: 365,
    userWritesBlocked: 371,
    reauthenticationRequired: 391,
    resourceExhausted: 402,
    outOfDiskSpace: 14_031,
  }),
  ...Object.values({ staleEpoch: 150, staleDbVersion: 249, staleChunkHistory: 250, staleConfig: 13_388 }),
  ...[mongoCode.unauthorized, mongoCode.authenticationFailed, mongoCode.maxTimeExpired],
  ...[mongoCode.writeConflict, mongoCode.snapshotTooOld],
]);

const unavailableLabels = [
  MongoErrorLabel.TransientTransactionError,
  MongoErrorLabel.RetryableWriteError,
  MongoErrorLabel.RetryableError,
  MongoErrorLabel.SystemOverloadedError,
];

/** The driver's errors for a closed client, server or session. */
const closed = [
  MongoClientClosedError,
  MongoExpiredSessionError,
  MongoNotConnectedError,
  MongoServerClosedError,
  MongoTopologyClosedError,
];

/**
 * Whether the store, not the request, is the cause. The same request may then work later. The driver wraps all errors
 * of a bulk write, including a broken connection.
 */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof StoreUnavailableError) return true;
  if (!(error instanceof MongoError)) return isSocketError(error);
  if (error instanceof MongoBulkWriteError && error.errorResponse instanceof Error) {
    return isUnavailable(error.errorResponse);
  }
  if (unavailableLabels.some((label) => error.hasErrorLabel(label))) return true;
  if (error instanceof MongoServerError) {
    return error instanceof MongoWriteConcernError || unavailableCodes.has(error.code);
  }
  // Of the driver's own errors, only errors of misuse are permanent. The other errors are about servers and the
  // network.
  return !(error instanceof MongoAPIError) || closed.some((kind) => error instanceof kind);
}

/**
 * Whether Node caused the error. The driver passes some errors of Node on, for example EPIPE for a write to a
 * connection that is being closed.
 */
function isSocketError(error: unknown): boolean {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return false;
  return /^(E[A-Z]+|ERR_(STREAM|SOCKET|TLS|SSL)_\w+)$/.test(error.code);
}

/** Converts an error whose cause is the store to the port's StoreUnavailableError. Returns other errors unchanged. */
export function asStoreError(error: unknown): unknown {
  return isUnavailable(error) ? unavailable(error) : error;
}

export function unavailable(error: unknown): StoreUnavailableError {
  if (error instanceof StoreUnavailableError) return error;
  const words = error instanceof Error ? error.message : String(error);
  if (error instanceof MongoServerError && error.code === mongoCode.snapshotTooOld) {
    return new SnapshotExpiredError(`MongoDB no longer keeps the snapshot: ${words}`, { cause: error });
  }
  return new StoreUnavailableError(`MongoDB does not answer: ${words}`, { cause: error });
}

/** Whether another transaction has changed or locks one of the documents. */
export function isWriteConflict(error: unknown): boolean {
  const cause = error instanceof StoreUnavailableError ? error.cause : error;
  return cause instanceof MongoServerError && cause.code === mongoCode.writeConflict;
}

export function isDuplicate(error: unknown): error is MongoServerError {
  return error instanceof MongoServerError && error.code === mongoCode.duplicateKey;
}

/**
 * Runs an upsert. If another upsert of the same key is applied at the same time, a second try finds the other's
 * document.
 */
export async function upsert<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isDuplicate(error)) return work();
    throw error;
  }
}

/**
 * The indexes of the documents in an unordered insertion whose keys exist already.
 * @throws the error itself if existing keys are not its cause.
 */
export function takenIn(error: unknown): number[] {
  if (!(error instanceof MongoBulkWriteError)) throw error;
  if (error.result.getWriteConcernError()) throw unavailable(error);
  const failures = [error.writeErrors].flat();
  const isTaken = failures.length > 0 && failures.every(({ code }) => code === mongoCode.duplicateKey);
  if (!isTaken) throw error;
  return failures.map(({ index }) => index);
}
