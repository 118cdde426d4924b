import {
  type AdminServiceOptions,
  createAdminService,
  type OpenAdminService,
} from '../../src/admin/admin-service.ts';
import type { LedgerSource } from '../../src/audit/bounded-reads.ts';
import { noticeChannels } from '../../src/domain/notices.ts';
import type { TravelPackage } from '../../src/domain/travel-package.ts';
import { ActorEngine } from '../../src/engine/actor/actor-engine.ts';
import type { OperatedEngine } from '../../src/engine/operated-engine.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { silentLog } from '../../src/observability/log.ts';
import { localLiveBus } from '../../src/realtime/live-bus.ts';
import type { Operator, OperatorEvent } from '../../src/storage/operator-log.ts';
import { openSqliteStore, type SqliteStore } from '../../src/storage/sqlite/sqlite-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { LedgerForbiddenError } from '../../src/suppliers/suppliers.ts';
import { ScriptedSuppliers } from './scripted-suppliers.ts';
import { onSale } from './server.ts';

/** The service of one instance, over an engine and a store in memory. */
export interface AdminBench extends AsyncDisposable {
  readonly service: OpenAdminService;
  readonly engine: OperatedEngine;
  readonly store: SqliteStore;
  readonly suppliers: ScriptedSuppliers;
  /** Reads the log of changes, newest first. */
  log(): Promise<readonly OperatorEvent[]>;
}

export interface AdminBenchOptions {
  readonly packages?: readonly Partial<TravelPackage>[];
  /** Wraps the store that the service uses. */
  readonly through?: (store: SqliteStore) => Store;
  readonly over?: Partial<AdminServiceOptions>;
  readonly onFenced?: (packageId: number) => void;
}

/** A ledger that demands a token which is not configured. */
export const closedLedger: LedgerSource = {
  isOptional: true,
  ledger: () => Promise.reject(new LedgerForbiddenError('the token is refused (status 401)')),
};

export const anOperator: Operator = { name: 'admin', via: 'token', address: '192.0.2.1' };

export async function openAdminBench(options: AdminBenchOptions = {}): Promise<AdminBench> {
  const { packages = [{}], through = (store) => store, over = {}, onFenced } = options;
  const sqlite = openSqliteStore({ file: ':memory:' });
  await sqlite.addPackages(packages.map(onSale));
  const suppliers = new ScriptedSuppliers();
  const common = { clock: systemClock, random: systemRandom(), log: silentLog, instance: 'one' };
  const engine = new ActorEngine({
    ...{ ...common, store: sqlite, suppliers, liveBus: localLiveBus() },
    rules: { waitersPerUnit: 4, waitersMax: 100, ordersPerEmail: 0, rejectionsMax: 100 },
    snapshotMaxAgeMs: Number.POSITIVE_INFINITY,
    ...(onFenced === undefined ? {} : { onFenced }),
  });
  await engine.start();
  const service = createAdminService({
    ...{ ...common, engine, store: through(sqlite), version: '1.2.3', secret: 'a secret' },
    ...{
      processLoad: () => ({ eventLoopLagMs: 1, rssBytes: 2 }),
      sockets: () => 3,
      failing: () => [],
      leave: () => {},
    },
    ...{ queueLimits: { waitersPerUnit: 4, waitersMax: 100 }, hasOwners: true, ledger: closedLedger },
    ...{ outbox: sqlite.outbox, noticeChannels },
    ...over,
  });
  return {
    ...{ service, engine, store: sqlite, suppliers },
    log: async () => (await sqlite.operatorEvents(undefined, 100)).items,
    async [Symbol.asyncDispose]() {
      engine.close();
      await engine.drain();
      await sqlite.close();
    },
  };
}
