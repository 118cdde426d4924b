import { saleObstacle } from '../domain/decide.ts';
import type { PackageUpdate } from '../domain/messages.ts';
import { isUpdated } from '../domain/operator-changes.ts';
import {
  isSaleWindow,
  type Offer,
  type PackageSnapshot,
  packageIdMax,
  type QueueLimits,
  queueCapacity,
  type TravelPackage,
} from '../domain/travel-package.ts';
import type { Activity, OperatedEngine, Result } from '../engine/operated-engine.ts';
import { Cached } from '../lib/cached.ts';
import type { Clock } from '../lib/clock.ts';
import { defined } from '../lib/defined.ts';
import type { Json } from '../lib/json.ts';
import type { Operator } from '../storage/operator-log.ts';
import {
  CommitUnknownError,
  FencedError,
  type OwnerRecord,
  type Store,
  StoreUnavailableError,
  type UnreadableError,
} from '../storage/store.ts';
import { type ChangeLog, type ChangeRequest, orUnavailable } from './change-log.ts';
import type { InstanceService, StatusReports } from './instance-service.ts';

export interface PackageOwner {
  /** The instance that last took the package over. */
  readonly instance: string;
  /** Grows with every takeover. */
  readonly epoch: number;
  /**
   * `active`: the instance acts for the package now. `idle`: the instance runs, and has nothing to do for the package.
   * `silent`: the instance did not answer in time. `gone`: the instance no longer announces itself; the next purchase
   * finds another owner.
   */
  readonly state: 'active' | 'idle' | 'silent' | 'gone';
}

/** A package as operators see it. */
export interface PackageStatus extends PackageSnapshot {
  /** The error that a purchase would get now. Absent if a purchase would be accepted. */
  readonly obstacle?: 'paused' | 'not_open' | 'sale_closed' | 'sold_out' | 'queue_full';
  /** How many orders the package's queue holds at most. */
  readonly waitersMax: number;
  /** Absent before the first purchase. The lock and queue engines have no owners, so it is always absent there. */
  readonly owner?: PackageOwner;
  /** Absent unless the owner is active and answers. */
  readonly activity?: Activity;
}

export interface NewPackage extends Offer {
  /** Default: the next free id. */
  readonly id?: number;
  readonly quota: number;
  /** Unix time in ms. */
  readonly opensAt?: number;
  /** Unix time in ms. */
  readonly closesAt?: number;
  /** True: nobody can buy the package until an operator resumes its sale. */
  readonly paused?: boolean;
  /** False: the package is missing from customers' lists. */
  readonly listed?: boolean;
}

/** Limits of {@link NewPackage} and {@link PackageUpdate}. */
export const quotaMax = 1_000_000_000;
export const priceMax = 1_000_000_000;

export interface PackageServiceOptions {
  readonly engine: OperatedEngine;
  readonly store: Store;
  readonly clock: Clock;
  readonly queueLimits: QueueLimits;
  /** Whether packages have owners. True only for the actor engine. */
  readonly hasOwners: boolean;
}

/** How often to try again after another writer took the id or changed the version. */
const triesMax = 8;
const ownersMaxAgeMs = 1_000;
/** Prefix of the store's settings that keep the ids of deleted packages. */
const deleted = 'deleted-package:';

/** Lists and changes packages for operators. Every change is logged; see {@link ChangeLog}. */
export class PackageService {
  readonly #options: PackageServiceOptions;
  readonly #instances: InstanceService;
  readonly #changes: ChangeLog;
  readonly #owners: Cached<ReadonlyMap<number, OwnerRecord>>;

  constructor(options: PackageServiceOptions, instances: InstanceService, changes: ChangeLog) {
    this.#options = options;
    this.#instances = instances;
    this.#changes = changes;
    const { store, clock, hasOwners } = options;
    const load = async (): Promise<ReadonlyMap<number, OwnerRecord>> => {
      const owners = hasOwners ? await store.ownerRecords() : [];
      return new Map(owners.map((owner) => [owner.packageId, owner]));
    };
    this.#owners = new Cached(load, { clock, maxAgeMs: ownersMaxAgeMs });
  }

  /** All packages by id. Their owners are asked at most once a second. @throws StoreUnavailableError */
  async list(): Promise<readonly PackageStatus[]> {
    const [snapshots, known] = await Promise.all([this.#options.engine.packages(), this.#readOwners()]);
    return snapshots.map((snapshot) => this.#status(snapshot, known));
  }

  /** The packages and orders that this instance cannot read. */
  unreadable(): readonly UnreadableError[] {
    return this.#options.store.unreadable();
  }

  /** Undefined if there is no such package. @throws StoreUnavailableError, UnreadableError */
  async get(id: number): Promise<PackageStatus | undefined> {
    const snapshot = await this.#options.engine.package(id);
    return snapshot && this.#status(snapshot, await this.#readOwners());
  }

  /**
   * Creates a package, which every instance knows within 250 ms. Refused with `package_exists` if the requested id is
   * or was used, or with `invalid` if the sale would close before it opens.
   */
  create(by: Operator, params: NewPackage): Promise<Result<TravelPackage>> {
    const target = defined({ packageId: params.id });
    const request = { by, action: 'package.create', target, wish: asJson(params) } as const;
    return this.#changes.record(request, () => this.#create(params), asJson);
  }

  /**
   * Changes a package. Refused with `unknown_package`, `version_conflict` or `quota_too_low`, or with `invalid` if the
   * sale would close before it opens.
   */
  update(by: Operator, id: number, change: PackageUpdate): Promise<Result<TravelPackage>> {
    const request = { by, action: 'package.amend', wish: asJson(change) } as const;
    return this.#record(id, request, () => this.#update(id, change));
  }

  /**
   * Pauses or resumes the sale. While it is paused, purchases get `paused`, the queue stays as it is, and bookings
   * under way are finished. Repeating a call is harmless. Refused with `unknown_package`, or with `sale_closed` for an
   * archived package.
   */
  setPaused(by: Operator, id: number, paused: boolean): Promise<Result<TravelPackage>> {
    const action = paused ? 'package.pause' : 'package.resume';
    const request = { by, action, wish: { paused } } as const;
    return this.#record(id, request, () => this.#updateNewest(id, { paused }));
  }

  /**
   * Removes a package from every list after its sale has ended. Its orders stay.
   * Refused with `unknown_package` or `sale_not_ended`.
   */
  archive(by: Operator, id: number): Promise<Result<TravelPackage>> {
    const request = { by, action: 'package.archive', wish: { archived: true } } as const;
    return this.#record(id, request, () => this.#updateNewest(id, { archived: true }));
  }

  /** Deletes a package that nobody has ordered. Refused with `unknown_package` or `package_not_empty`. */
  delete(by: Operator, id: number): Promise<Result<TravelPackage>> {
    const request = { by, action: 'package.delete' } as const;
    const nothing = () => undefined;
    return this.#record(id, request, () => this.#delete(id), nothing);
  }

  /** Logs a change of an existing package. */
  #record(
    id: number,
    request: Pick<ChangeRequest, 'by' | 'action' | 'wish'>,
    change: () => Promise<Result<TravelPackage>>,
    after: (value: TravelPackage) => Json | undefined = asJson,
  ): Promise<Result<TravelPackage>> {
    return orUnavailable(async () => {
      const stored = await this.#options.store.package(id);
      const before = stored && asJson(stored.package);
      const known = stored === undefined ? async () => unknownPackage : change;
      return this.#changes.record({ ...request, target: { packageId: id }, before }, known, after);
    });
  }

  async #create({ id: requestedId, paused, listed, ...rest }: NewPackage): Promise<Result<TravelPackage>> {
    const { store, engine } = this.#options;
    if (!isSaleWindow(rest)) return { kind: 'refused', code: 'invalid' };
    const isUsed =
      requestedId !== undefined && (await store.settingIfAny(deleted + requestedId)) !== undefined;
    const sale = { ...(paused === true ? { paused } : {}), ...(listed === false ? { listed } : {}) };
    // Another instance may take the free id first. Then the next free id is tried.
    for (let tries = 0; tries < triesMax && !isUsed; tries++) {
      const id = requestedId ?? (await this.#freeId());
      const added: TravelPackage = { id, ...rest, version: 1, ...sale };
      const [isAdded] = await store.addPackages([added]);
      if (isAdded !== undefined) {
        engine.added(added);
        return { kind: 'done', value: added };
      }
      if (requestedId !== undefined) break;
    }
    return { kind: 'refused', code: 'package_exists' };
  }

  /** The next free id. The id of a deleted package is not free, because an old page or owner may still use it. */
  async #freeId(): Promise<number> {
    const { store } = this.#options;
    const [stored, gone] = await Promise.all([store.ownerRecords(), store.settingsNamed(deleted)]);
    const used = new Set(stored.map(({ packageId }) => packageId));
    for (const name of gone.keys()) used.add(Number(name.slice(deleted.length)));
    const ids = [...used].sort((a, b) => a - b);
    const highest = ids.at(-1) ?? 0;
    if (highest < packageIdMax) return highest + 1;
    // The highest possible id is taken: use the first gap.
    return 1 + ids.findIndex((id, index) => id !== index + 1);
  }

  async #update(id: number, change: PackageUpdate): Promise<Result<TravelPackage>> {
    const result = await this.#options.engine.updatePackage(id, change);
    if (result.kind === 'refused') return result;
    // An owner with an older release ignores unknown members, so check that it made the whole change.
    const isDone = isUpdated(result.value, { ...change, version: result.value.version - 1 });
    return isDone ? result : { kind: 'refused', code: 'no_owner' };
  }

  /** Changes the newest stored version, so that a pause does not conflict with, for example, a change of the price. */
  async #updateNewest(id: number, change: Omit<PackageUpdate, 'version'>): Promise<Result<TravelPackage>> {
    for (let tries = 1; ; tries++) {
      const stored = await this.#options.store.package(id);
      if (stored === undefined) return unknownPackage;
      const { version, archived } = stored.package;
      if (archived === true && change.paused !== undefined) return { kind: 'refused', code: 'sale_closed' };
      const isDone = isUpdated(stored.package, { ...change, version: version - 1 });
      if (isDone) return { kind: 'done', value: stored.package };
      const result = await this.#update(id, { version, ...change });
      const isConflict = result.kind === 'refused' && result.code === 'version_conflict';
      if (!isConflict || tries === triesMax) return result;
    }
  }

  /**
   * Removes the package only in the state that was checked. A purchase after the check moves the fence, so the removal
   * fails.
   */
  async #delete(id: number): Promise<Result<TravelPackage>> {
    const { store, engine, clock } = this.#options;
    let last: TravelPackage | undefined;
    for (let tries = 1; ; tries++) {
      const versioned = await store.versionedPackage(id);
      // A package that is missing at the first try is unknown. If it is missing at a later try, an earlier try has
      // removed it, and the store's answer was lost.
      if (versioned === undefined && last === undefined) return unknownPackage;
      if (versioned === undefined) break;
      if (versioned.inventory.nextNumber !== 1) return { kind: 'refused', code: 'package_not_empty' };
      last = versioned.package;
      try {
        await store.setting(deleted + id, () => new Date(clock.now()).toISOString());
        await store.removePackage(id, versioned.fence);
        break;
      } catch (error) {
        const mayPass = [FencedError, CommitUnknownError, StoreUnavailableError];
        if (!mayPass.some((kind) => error instanceof kind)) throw error;
        if (tries === triesMax) return { kind: 'refused', code: 'overloaded' };
      }
    }
    engine.removed(id);
    return { kind: 'done', value: last as TravelPackage };
  }

  async #readOwners(): Promise<Owners> {
    const [stored, reports] = await Promise.all([this.#owners.get(), this.#instances.reports()]);
    return { stored, reports, reported: reportedOwners(reports) };
  }

  #status(snapshot: PackageSnapshot, owners: Owners): PackageStatus {
    const { clock, engine, queueLimits } = this.#options;
    const { package: travelPackage, inventory } = snapshot;
    const now = clock.now();
    const areAvailable = engine.suppliersAvailable(travelPackage.id);
    const obstacle = saleObstacle(travelPackage, inventory, now, queueLimits, areAvailable);
    const reported = owners.reported.get(travelPackage.id);
    const owner = ownerOf(owners.stored.get(travelPackage.id), reported?.instance, owners.reports);
    return {
      package: travelPackage,
      inventory,
      waitersMax: queueCapacity(travelPackage.quota, queueLimits),
      ...defined({
        obstacle: obstacle as PackageStatus['obstacle'],
        owner,
        activity: owner?.state === 'active' ? reported?.activity : undefined,
      }),
    };
  }
}

const unknownPackage = { kind: 'refused', code: 'unknown_package' } as const;

interface ReportedOwner {
  readonly instance: string;
  /** Absent if the instance acts for too many packages to report all of them. */
  readonly activity?: Activity;
}

interface Owners {
  /** By package. */
  readonly stored: ReadonlyMap<number, OwnerRecord>;
  readonly reports: StatusReports;
  /** By package. */
  readonly reported: ReadonlyMap<number, ReportedOwner>;
}

/**
 * The owners of packages by the instances' reports. A replaced owner may still report a package; the store has the
 * present owner.
 */
function reportedOwners(reports: StatusReports): ReadonlyMap<number, ReportedOwner> {
  const owners = new Map<number, ReportedOwner>();
  for (const [instance, report] of reports) {
    for (const id of report?.others ?? []) owners.set(id, { instance });
    for (const { packageId, activity } of report?.packages ?? [])
      owners.set(packageId, { instance, activity });
  }
  return owners;
}

function ownerOf(
  stored: OwnerRecord | undefined,
  reportedBy: string | undefined,
  reports: StatusReports,
): PackageOwner | undefined {
  if (stored?.instance === undefined) return undefined;
  const { instance, epoch } = stored;
  if (reportedBy === instance) return { instance, epoch, state: 'active' };
  if (!reports.has(instance)) return { instance, epoch, state: 'gone' };
  return { instance, epoch, state: reports.get(instance) === undefined ? 'silent' : 'idle' };
}

function asJson(value: TravelPackage | NewPackage | PackageUpdate): Json {
  return { ...value } as Json;
}
