import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DatabaseConfig } from '../config/config.ts';
import type { NoticeChannel } from '../domain/notices.ts';
import type { Log } from '../observability/log.ts';
import type { ArchiveStore } from '../storage/archive-store.ts';
import type { OutboxStore } from '../storage/outbox.ts';
import { openSqliteStore } from '../storage/sqlite/sqlite-store.ts';
import { type Store, StoreUnavailableError } from '../storage/store.ts';
import type { SimulationLedger } from '../suppliers/suppliers.ts';
import { startStep } from './start-step.ts';

/** A store that also contains the ledger of the simulated suppliers and the outbox, and can be archived. */
export type OpenStore = Store & {
  readonly ledger: SimulationLedger;
  readonly archive: ArchiveStore;
  readonly outbox: OutboxStore;
};

/**
 * Opens the store that a configuration names. With `beside`, SQLite's file may be open in a running server too, as
 * MongoDB's database always may.
 * @throws StoreUnavailableError if the store's server does not answer.
 * @throws Error with one line that says what is wrong with the store.
 */
export async function openStore(
  database: DatabaseConfig,
  options: {
    readOnly?: boolean;
    beside?: boolean;
    countsEmails?: boolean;
    noticeChannels?: readonly NoticeChannel[];
    log?: Log;
  } = {},
): Promise<OpenStore> {
  try {
    if (database.kind === 'sqlite') {
      const { file } = database;
      // SQLite's calls are synchronous, so they would block the process if a network file system does not answer.
      await startStep(
        `looking at ${file}`,
        stat(dirname(file)).catch(() => undefined),
      );
      return openSqliteStore({ file, ...options });
    }
    // The driver is loaded only if it is used, to save memory and start time.
    const { openMongoStore } = await import('../storage/mongodb/mongo-store.ts');
    return await startStep('opening the store', openMongoStore({ url: database.url, ...options }), {
      error: (message) => new StoreUnavailableError(message),
      late: (store) => store.close(),
    });
  } catch (error) {
    if (error instanceof StoreUnavailableError || !(error instanceof Error)) throw error;
    throw new Error(`DATABASE_URL cannot be used: ${error.message}`, { cause: error });
  }
}
