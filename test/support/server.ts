import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compose } from '../../src/compose/compose.ts';
import { readConfig } from '../../src/config/config.ts';
import type { TravelPackage } from '../../src/domain/travel-package.ts';
import type { BookingEngine } from '../../src/engine/engine.ts';
import { type Log, silentLog } from '../../src/observability/log.ts';
import { openSqliteStore } from '../../src/storage/sqlite/sqlite-store.ts';

export interface TestServer {
  /** The origin of the server: `http://127.0.0.1:<port>`. */
  readonly origin: string;
  readonly engine: BookingEngine;
  /** Drains the server and deletes its database. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  /**
   * Settings of the server, named as in the environment. Rate limits are off unless set here. `DATABASE_URL` may name the
   * database of an earlier server.
   */
  readonly settings?: Record<string, string>;
  /** Packages on sale instead of the sample packages. */
  readonly packages?: readonly TravelPackage[];
  readonly log?: Log;
}

/** Starts the server in this process on a free port of the loopback, with its own database. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const database = await makeDatabase(options.packages);
  const config = readConfig({ DATABASE_URL: database.url, RATE_LIMIT: 'off', ...options.settings });
  const instance = await compose({ config, log: options.log ?? silentLog });
  const port = await instance.listen(0, '127.0.0.1');
  const stop = async () => {
    await instance.close();
    await database.delete();
  };
  return { origin: `http://127.0.0.1:${port}`, engine: instance.engine, stop };
}

export interface TestDatabase {
  readonly url: string;
  delete(): Promise<void>;
}

/** A database file in a temporary folder, with these packages. */
export async function makeDatabase(packages: readonly TravelPackage[] = []): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'ticket-booking-'));
  const file = join(folder, 'booking.db');
  if (packages.length > 0) {
    const store = openSqliteStore({ file });
    await store.addPackages(packages);
    await store.close();
  }
  return { url: `sqlite:${file}`, delete: () => rm(folder, { recursive: true, force: true }) };
}

/** A package on sale, with overrides. */
export function onSale(overrides: Partial<TravelPackage> = {}): TravelPackage {
  return { id: 1, flight: 'Flight-1', stay: '2022-08-09', price: 100, quota: 1, version: 1, ...overrides };
}
