import { localLeases } from '../../src/adapters/lease/local.ts';
import { localLiveBus } from '../../src/adapters/live/local.ts';
import { openSqliteStore, type SqliteStore } from '../../src/adapters/store/sqlite/sqlite-store.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { systemRandom } from '../../src/adapters/system/random.ts';
import { ActorEngine } from '../../src/booking/engine.ts';
import type { TravelPackage } from '../../src/domain/travel-package.ts';
import { OperationsDesk, type OperationsOptions } from '../../src/operations/operations.ts';
import { silentLog } from '../../src/ports/log.ts';
import type { OperatedEngine } from '../../src/ports/operated-engine.ts';
import type { Operator, OperatorEvent } from '../../src/ports/operator-log.ts';
import type { Store } from '../../src/ports/store.ts';
import { ScriptedSuppliers } from './scripted-suppliers.ts';
import { onSale } from './server.ts';

/** The operations of one instance, over an engine and a store in memory. */
export interface OperationsBench extends AsyncDisposable {
  readonly operations: OperationsDesk;
  readonly engine: OperatedEngine;
  readonly store: SqliteStore;
  readonly suppliers: ScriptedSuppliers;
  /** The log of changes, the newest first. */
  log(): Promise<readonly OperatorEvent[]>;
}

export interface OperationsBenchOptions {
  readonly packages?: readonly Partial<TravelPackage>[];
  /** Puts something between the operations and the store. */
  readonly through?: (store: SqliteStore) => Store;
  readonly over?: Partial<OperationsOptions>;
  readonly onFenced?: (packageId: number) => void;
}

export const anOperator: Operator = { name: 'admin', via: 'token', address: '192.0.2.1' };

export async function setOperations(options: OperationsBenchOptions = {}): Promise<OperationsBench> {
  const { packages = [{}], through = (store) => store, over = {}, onFenced } = options;
  const sqlite = openSqliteStore({ file: ':memory:' });
  await sqlite.addPackages(packages.map(onSale));
  const suppliers = new ScriptedSuppliers();
  const common = { clock: systemClock, random: systemRandom(), log: silentLog, instance: 'one' };
  const engine = new ActorEngine({
    ...{ ...common, store: sqlite, suppliers, liveBus: localLiveBus(), leases: localLeases() },
    rules: { waitersPerUnit: 4, ordersPerEmail: 0, rejectionsMax: 100 },
    snapshotMaxAgeMs: Number.POSITIVE_INFINITY,
    ...(onFenced === undefined ? {} : { onFenced }),
  });
  await engine.start();
  const operations = new OperationsDesk({
    ...{ ...common, engine, store: through(sqlite), version: '1.2.3', secret: 'a secret' },
    ...{ processLoad: () => ({ eventLoopLagMs: 1, rssBytes: 2 }), sockets: () => 3, leave: () => {} },
    ...{ waitersPerUnit: 4, hasOwners: true, ledger: async () => undefined },
    ...over,
  });
  return {
    ...{ operations, engine, store: sqlite, suppliers },
    log: async () => (await sqlite.operatorEvents(undefined, 100)).items,
    async [Symbol.asyncDispose]() {
      engine.close();
      await engine.drain();
      await sqlite.close();
    },
  };
}
