import type { PackageUpdate } from '../domain/messages.ts';
import { isUpdated } from '../domain/operator-changes.ts';
import { saleObstacle } from '../domain/refusals.ts';
import {
  isSaleWindow,
  type Offer,
  type PackageSnapshot,
  packageIdMax,
  type QueueLimits,
  queueCapacity,
  type TravelPackage,
} from '../domain/travel-package.ts';
import type { InventoryTotals, PackagesPage, PackagesQuery } from '../engine/engine.ts';
import type { Activity, OperatedEngine, Result } from '../engine/operated-engine.ts';
import type { Clock } from '../lib/clock.ts';
import { defined } from '../lib/defined.ts';
import type { Json } from '../lib/json.ts';
import { itemsOf } from '../lib/page.ts';
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
import { unreadableDocuments } from './unreadable-documents.ts';

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

export interface StatusesPage extends Omit<PackagesPage, 'items'> {
  readonly items: readonly PackageStatus[];
}

/** What operators see of all packages together. */
export interface PackagesSummary {
  /** Sums over all packages that are not archived. */
  readonly totals: InventoryTotals;
  /** How many packages are archived. */
  readonly archived: number;
  /** Packages with orders in the queue, being booked or being cancelled: at most 1,000 of them. */
  readonly busy: readonly PackageStatus[];
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
/** How many busy packages a summary describes, of those that are busy at the same moment. */
const busyMax = 1_000;
/** Prefix of the store's settings that keep the ids of deleted packages. */
const deleted = 'deleted-package:';

/** Lists and changes packages for operators. Every change is logged; see {@link ChangeLog}. */
export class PackageService {
  readonly #options: PackageServiceOptions;
  readonly #instances: InstanceService;
  readonly #changes: ChangeLog;
  /** The owners in the reports that were read last. */
  #reported: { readonly reports: StatusReports; readonly owners: Owners['reported'] } | undefined;

  constructor(options: PackageServiceOptions, instances: InstanceService, changes: ChangeLog) {
    this.#options = options;
    this.#instances = instances;
    this.#changes = changes;
  }

  /** A page of packages by id. Their owners are asked at most once a second. @throws StoreUnavailableError */
  async list(query: PackagesQuery): Promise<StatusesPage> {
    const { items, ...page } = await this.#options.engine.packages(query);
    return { items: await this.#statuses(items), ...page };
  }

  /** The packages with these ids that can be read. @throws StoreUnavailableError */
  async some(ids: readonly number[]): Promise<readonly PackageStatus[]> {
    if (ids.length === 0) return [];
    const { cachedPackages } = this.#options.engine;
    await cachedPackages.refresh(ids);
    return this.#statuses(ids.flatMap((id) => cachedPackages.peek(id) ?? []));
  }

  /** Sums over all packages, and the packages that may have a problem. @throws StoreUnavailableError */
  async summary(): Promise<PackagesSummary> {
    const { cachedPackages } = this.#options.engine;
    const busy = cachedPackages.busy();
    return {
      totals: cachedPackages.totals('current'),
      archived: cachedPackages.ids('archived').length,
      busy: await this.#statuses(busy.slice(0, busyMax)),
    };
  }

  /** The packages and orders that this instance cannot read now. @throws StoreUnavailableError */
  unreadable(): Promise<readonly UnreadableError[]> {
    return unreadableDocuments(this.#options.store);
  }

  /** Undefined if there is no such package. @throws StoreUnavailableError, UnreadableError */
  async get(id: number): Promise<PackageStatus | undefined> {
    const snapshot = await this.#options.engine.package(id);
    return snapshot && (await this.#statuses([snapshot]))[0];
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
      const id = requestedId ?? (await this.freeId());
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

  /**
   * The next free id. The id of a deleted package is not free, because an old page or owner may still use it.
   * @throws StoreUnavailableError
   */
  async freeId(): Promise<number> {
    const { store } = this.#options;
    const [last, gone] = await Promise.all([store.lastPackageId(), store.settingsNamed(deleted)]);
    const used = new Set([...gone.keys()].map((name) => Number(name.slice(deleted.length))));
    const highest = Math.max(last, ...used);
    if (highest < packageIdMax) return highest + 1;
    // The highest possible id is taken: use the first gap.
    let free = 1;
    for await (const { packageId } of itemsOf((cursor, limit) => store.ownersPage(cursor, limit))) {
      while (used.has(free)) free += 1;
      if (packageId > free) break;
      free = packageId + 1;
    }
    while (used.has(free)) free += 1;
    return free;
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

  async #statuses(snapshots: readonly PackageSnapshot[]): Promise<PackageStatus[]> {
    const { store, hasOwners } = this.#options;
    const ids = snapshots.map((snapshot) => snapshot.package.id);
    const [records, reports] = await Promise.all([
      hasOwners ? store.ownersOf(ids) : [],
      this.#instances.reports(),
    ]);
    const stored = new Map(records.map((owner) => [owner.packageId, owner]));
    const owners = { stored, reports, reported: this.#reportedBy(reports) };
    return snapshots.map((snapshot) => this.#status(snapshot, owners));
  }

  #reportedBy(reports: StatusReports): Owners['reported'] {
    if (this.#reported?.reports !== reports) this.#reported = { reports, owners: reportedOwners(reports) };
    return this.#reported.owners;
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
