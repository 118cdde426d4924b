import { saleObstacle } from '../domain/decide.ts';
import type { PackageUpdate } from '../domain/messages.ts';
import { isUpdated } from '../domain/operator-changes.ts';
import {
  isSaleWindow,
  type PackageSnapshot,
  packageIdMax,
  type TravelPackage,
} from '../domain/travel-package.ts';
import type { OperatedEngine } from '../engine/operated-engine.ts';
import type { Clock } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import type { Operator } from '../storage/operator-log.ts';
import {
  CommitUnknownError,
  FencedError,
  type OwnerRecord,
  type Store,
  StoreUnavailableError,
} from '../storage/store.ts';
import type { NewPackage, Outcome, PackageOwner, PackageStatus } from './admin-service.ts';
import { type Asked, type ChangeLog, orUnavailable } from './change-log.ts';
import type { ClusterView, Statuses } from './cluster-view.ts';
import type { OwnStatus } from './instance-status.ts';
import { keptFor } from './kept.ts';

export interface PackageServiceOptions {
  readonly engine: OperatedEngine;
  readonly store: Store;
  readonly cluster: ClusterView;
  readonly changes: ChangeLog;
  readonly clock: Clock;
  readonly waitersPerUnit: number;
  /** Whether packages have owners: not with the plans. */
  readonly hasOwners: boolean;
}

/** How often an id that was free is taken by somebody else, or a version is outrun, before we give up. */
const triesMax = 8;
const keptMs = 1_000;
/** Ids of packages that were deleted, in the store's settings. */
const deleted = 'deleted-package:';

/** Packages as operators see and change them. */
export class PackageService {
  readonly #options: PackageServiceOptions;
  readonly #ownerRecords: () => Promise<ReadonlyMap<number, OwnerRecord>>;

  constructor(options: PackageServiceOptions) {
    this.#options = options;
    const { store, clock, hasOwners } = options;
    this.#ownerRecords = keptFor(keptMs, clock, async () => {
      const ownerRecords = hasOwners ? await store.ownerRecords() : [];
      return new Map(ownerRecords.map((record) => [record.packageId, record]));
    });
  }

  async all(): Promise<PackageStatus[]> {
    const { engine, cluster } = this.#options;
    const [snapshots, ownerRecords, statuses] = await Promise.all([
      engine.packages(),
      this.#ownerRecords(),
      cluster.statuses(),
    ]);
    const owned = ownedBy(statuses);
    return snapshots.map((snapshot) => this.#status(snapshot, { ownerRecords, statuses, owned }));
  }

  async one(id: number): Promise<PackageStatus | undefined> {
    const { engine, cluster } = this.#options;
    const snapshot = await engine.package(id);
    if (snapshot === undefined) return undefined;
    const [ownerRecords, statuses] = await Promise.all([this.#ownerRecords(), cluster.statuses()]);
    return this.#status(snapshot, { ownerRecords, statuses, owned: ownedBy(statuses) });
  }

  create(by: Operator, wish: NewPackage): Promise<Outcome<TravelPackage>> {
    const target = wish.id === undefined ? {} : { packageId: wish.id };
    const asked = { by, action: 'package.create', target, wish: asJson(wish) } as const;
    return this.#options.changes.record(asked, () => this.#create(wish), asJson);
  }

  amend(by: Operator, id: number, change: PackageUpdate): Promise<Outcome<TravelPackage>> {
    const asked = { by, action: 'package.amend', wish: asJson(change) } as const;
    return this.#recorded(id, asked, () => this.#amend(id, change));
  }

  pause(by: Operator, id: number, paused: boolean): Promise<Outcome<TravelPackage>> {
    const asked = { by, action: paused ? 'package.pause' : 'package.resume', wish: { paused } } as const;
    return this.#recorded(id, asked, () => this.#toPresent(id, { paused }));
  }

  archive(by: Operator, id: number): Promise<Outcome<TravelPackage>> {
    const asked = { by, action: 'package.archive', wish: { archived: true } } as const;
    return this.#recorded(id, asked, () => this.#toPresent(id, { archived: true }));
  }

  remove(by: Operator, id: number): Promise<Outcome<TravelPackage>> {
    const asked = { by, action: 'package.delete' } as const;
    return this.#recorded(
      id,
      asked,
      () => this.#remove(id),
      () => undefined,
    );
  }

  #recorded(
    id: number,
    asked: Pick<Asked, 'by' | 'action' | 'wish'>,
    change: () => Promise<Outcome<TravelPackage>>,
    after: (value: TravelPackage) => Json | undefined = asJson,
  ): Promise<Outcome<TravelPackage>> {
    return orUnavailable(async () => {
      const { changes, store } = this.#options;
      const stored = await store.package(id);
      const before = stored && asJson(stored.package);
      const known = async () =>
        stored === undefined ? ({ kind: 'refused', code: 'unknown_package' } as const) : change();
      return changes.record({ ...asked, target: { packageId: id }, before }, known, after);
    });
  }

  /** An id that is free when it is looked for may be taken when it is stored: then the next is tried. */
  async #create({ id: wanted, ...wish }: NewPackage): Promise<Outcome<TravelPackage>> {
    const { store, engine } = this.#options;
    if (!isSaleWindow(wish)) return { kind: 'refused', code: 'invalid' };
    const isUsed = wanted !== undefined && (await store.settingIfAny(deleted + wanted)) !== undefined;
    if (isUsed) return { kind: 'refused', code: 'package_exists' };
    for (let tries = 0; tries < triesMax; tries++) {
      const id = wanted ?? (await this.#freeId());
      const { paused, listed, ...rest } = wish;
      const sale = {
        ...(paused === true ? { paused } : {}),
        ...(listed === false ? { listed } : {}),
      };
      const added: TravelPackage = { id, ...rest, version: 1, ...sale };
      const [isAdded] = await store.addPackages([added]);
      if (isAdded !== undefined) {
        engine.added(added);
        return { kind: 'done', value: added };
      }
      if (wanted !== undefined) return { kind: 'refused', code: 'package_exists' };
    }
    return { kind: 'refused', code: 'package_exists' };
  }

  /** Never one that was deleted: a page or an owner that still knows that package would take this one for it. */
  async #freeId(): Promise<number> {
    const { store } = this.#options;
    const [stored, gone] = await Promise.all([store.packages(), store.settingsNamed(deleted)]);
    const used = new Set(stored.map((one) => one.package.id));
    for (const name of gone.keys()) used.add(Number(name.slice(deleted.length)));
    const ids = [...used].sort((a, b) => a - b);
    const highest = ids.at(-1) ?? 0;
    if (highest < packageIdMax) return highest + 1;
    // Somebody has taken the last one there is: then the first gap.
    return 1 + ids.findIndex((id, index) => id !== index + 1);
  }

  async #amend(id: number, change: PackageUpdate): Promise<Outcome<TravelPackage>> {
    const answer = await this.#options.engine.updatePackage(id, change);
    if (answer.kind !== 'updated') return answer;
    // An owner of an older release does not know what it was asked for, and leaves it as it was.
    const isDone = isUpdated(answer.package, { ...change, version: answer.package.version - 1 });
    return isDone ? { kind: 'done', value: answer.package } : { kind: 'refused', code: 'no_owner' };
  }

  /** To the version that is there: an operator who pauses does not care who has changed the price meanwhile. */
  async #toPresent(id: number, change: Omit<PackageUpdate, 'version'>): Promise<Outcome<TravelPackage>> {
    for (let tries = 1; ; tries++) {
      const stored = await this.#options.store.package(id);
      if (stored === undefined) return { kind: 'refused', code: 'unknown_package' };
      const { version } = stored.package;
      if (isUpdated(stored.package, { ...change, version: version - 1 })) {
        return { kind: 'done', value: stored.package };
      }
      const outcome = await this.#amend(id, { version, ...change });
      const isOutrun = outcome.kind === 'refused' && outcome.code === 'version_conflict';
      if (!isOutrun || tries === triesMax) return outcome;
    }
  }

  /** What was decided of is what is removed: a purchase that was quicker has moved the fence on. */
  async #remove(id: number): Promise<Outcome<TravelPackage>> {
    const { store, engine, clock } = this.#options;
    let last: TravelPackage | undefined;
    for (let tries = 1; ; tries++) {
      const present = await store.versionedPackage(id);
      // A former try may have removed it without our knowing.
      if (present === undefined && last === undefined) return { kind: 'refused', code: 'unknown_package' };
      if (present === undefined) break;
      if (present.inventory.nextNumber !== 1) return { kind: 'refused', code: 'package_not_empty' };
      last = present.package;
      try {
        await store.setting(deleted + id, () => new Date(clock.now()).toISOString());
        await store.removePackage(id, present.fence);
        break;
      } catch (error) {
        if (!mayPass(error)) throw error;
        if (tries === triesMax) return { kind: 'refused', code: 'overloaded' };
      }
    }
    engine.removed(id);
    return { kind: 'done', value: last as TravelPackage };
  }

  #status(snapshot: PackageSnapshot, known: Known): PackageStatus {
    const { clock, engine, waitersPerUnit } = this.#options;
    const { package: travelPackage, inventory } = snapshot;
    const now = clock.now();
    const obstacle = saleObstacle(travelPackage, inventory, now, waitersPerUnit, engine.suppliersAvailable);
    const record = known.ownerRecords.get(travelPackage.id);
    const owned = known.owned.get(travelPackage.id);
    const owner = ownerOf(record, owned, known.statuses);
    const isActive = owner?.state === 'active' && owned?.activity !== undefined;
    return {
      package: travelPackage,
      inventory,
      ...(obstacle === undefined ? {} : { obstacle: obstacle as NonNullable<PackageStatus['obstacle']> }),
      waitersMax: waitersPerUnit * travelPackage.quota,
      ...(owner === undefined ? {} : { owner }),
      ...(isActive ? { activity: owned.activity } : {}),
    };
  }
}

/** After these the package may be there or not: it is read again. */
function mayPass(error: unknown): boolean {
  return [FencedError, CommitUnknownError, StoreUnavailableError].some((kind) => error instanceof kind);
}

interface Owned {
  readonly instance: string;
  /** Absent where the instance acts for too many to tell of each. */
  readonly activity?: OwnStatus['packages'][number]['activity'];
}

interface Known {
  readonly ownerRecords: ReadonlyMap<number, OwnerRecord>;
  readonly statuses: Statuses;
  readonly owned: ReadonlyMap<number, Owned>;
}

/** Who says that it acts for a package. An owner that was replaced a moment ago may say so still: the store knows. */
function ownedBy(statuses: Statuses): ReadonlyMap<number, Owned> {
  const owned = new Map<number, Owned>();
  for (const [instance, status] of statuses) {
    for (const id of status?.others ?? []) owned.set(id, { instance });
    for (const { packageId, activity } of status?.packages ?? [])
      owned.set(packageId, { instance, activity });
  }
  return owned;
}

function ownerOf(
  record: OwnerRecord | undefined,
  owned: Owned | undefined,
  statuses: Statuses,
): PackageOwner | undefined {
  if (record?.instance === undefined) return undefined;
  const { instance, epoch } = record;
  if (owned?.instance === instance) return { instance, epoch, state: 'active' };
  if (!statuses.has(instance)) return { instance, epoch, state: 'gone' };
  return { instance, epoch, state: statuses.get(instance) === undefined ? 'silent' : 'idle' };
}

function asJson(value: TravelPackage | NewPackage | PackageUpdate): Json {
  return { ...value } as Json;
}
