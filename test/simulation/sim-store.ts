import type { Change, Fence, Ownership } from '../../src/domain/messages.ts';
import { confirmedStatuses, holdingStatuses, isUnfinished, type Order } from '../../src/domain/order.ts';
import {
  fullInventory,
  type Inventory,
  type PackageSnapshot,
  type TravelPackage,
} from '../../src/domain/travel-package.ts';
import type { Page } from '../../src/lib/page.ts';
import type { OperatorEvent, OperatorLog } from '../../src/storage/operator-log.ts';
import {
  CommitUnknownError,
  FencedError,
  type OrderSelection,
  type OwnerRecord,
  type Store,
  StoreUnavailableError,
  UnreadableError,
  type VersionedPackage,
} from '../../src/storage/store.ts';
import { readUnfinished, pageOf as storedPageOf } from '../../src/storage/store-helpers.ts';
import { NewerDocumentError, readable, sift, UnreadableDocuments } from '../../src/storage/unreadable.ts';
import type { FaultRates } from './faults.ts';
import { OutboxCore } from './outbox-core.ts';
import type { SimHost, World } from './world.ts';

/** The newest document version that the simulated instances read. */
const documentVersion = 1;
/** Orders in one page of a takeover: few, so that queues have several pages. */
const takeoverPage = 3;
/** A read of more orders takes longer than its time limit. As many as the product reads in one page of a takeover. */
const readMax = 2_000;

/**
 * An instance that could not own a package tries again within this time: 5 s, or longer if its attempt was slow because the
 * store was.
 */
const repairedMs = 20_000;

interface PackageRow {
  package: TravelPackage;
  inventory: Inventory;
  epoch: number;
  seq: number;
  owner: string | undefined;
  /** The newest release that has owned it. */
  release: number;
  /** The orders, by number. */
  readonly orders: Order[];
  /** The orders in their newest version, until one of them changes. */
  newest: readonly Order[] | undefined;
  readonly byKey: Map<string, string>;
}

/** An applied commit with the state before it. */
export interface AppliedCommit {
  readonly packageId: number;
  readonly before: Pick<PackageRow, 'package' | 'inventory'>;
  readonly row: Readonly<PackageRow>;
  readonly change: Change;
  /** The process that committed. */
  readonly by: SimHost;
}

/** The stored state. Every method is one atomic, durable step that cannot fail by itself. */
export class StoreCore {
  readonly packages = new Map<number, PackageRow>();
  /** Orders in one page of a takeover; undefined for as many as the product reads. */
  takeoverPage: number | undefined = takeoverPage;
  readonly orders = new Map<string, Order>();
  readonly settings = new Map<string, string>();
  readonly outbox = new OutboxCore();
  /** The last seq of removed packages, from which a package with the same id continues. */
  readonly #removedSeqs = new Map<number, number>();
  readonly operatorEvents = new Map<string, OperatorEvent>();
  /** The packages (by id) and orders (by id) that cannot be read. */
  readonly spoilt = new Map<number | string, number | 'damaged'>();
  /** When a document of a package became readable again, by package. */
  readonly #repairedAt = new Map<number, number>();
  /** Erased emails, by order id. */
  readonly erasedEmails = new Map<string, string>();
  /** Called after every applied commit. */
  onApplied: (applied: AppliedCommit) => void = () => {};
  /** Called at every takeover. */
  onTaken: (packageId: number, by: SimHost) => void = () => {};

  add(packages: readonly TravelPackage[]): number[] {
    const added = packages.filter(({ id }) => !this.packages.has(id));
    for (const each of added) {
      const inventory = fullInventory(each.quota);
      const row = {
        package: each,
        inventory,
        epoch: 0,
        seq: this.#removedSeqs.get(each.id) ?? 0,
        owner: undefined,
        release: 1,
        orders: [],
        newest: undefined,
        byKey: new Map(),
      };
      this.packages.set(each.id, row);
    }
    return added.map(({ id }) => id);
  }

  /** Gives a package or an order a document version, or damages it. */
  spoil(id: number | string, how: number | 'damaged', now = 0): void {
    if (how !== documentVersion) {
      this.spoilt.set(id, how);
    } else if (this.spoilt.delete(id)) {
      this.#repairedAt.set(typeof id === 'number' ? id : (this.orders.get(id)?.packageId ?? 0), now);
    }
  }

  /** Whether a package needs an owner that works. While a sale is paused, its queue does not move. */
  hasWork(packageId: number): boolean {
    const isPaused = this.packages.get(packageId)?.package.paused === true;
    return this.ordersOf(packageId).some(
      (order) => isUnfinished(order) && !(isPaused && order.status === 'queued'),
    );
  }

  /** Whether the unfinished orders of a package wait for buyers to pay, or in the queue behind those. */
  waitsForPayments(packageId: number): boolean {
    const left = new Set(
      this.ordersOf(packageId)
        .filter(isUnfinished)
        .map(({ status }) => status),
    );
    left.delete('queued');
    return left.size === 1 && left.has('payable');
  }

  /** Whether a package and its unfinished orders can be read, so that it can have an owner. */
  isOwnable(packageId: number): boolean {
    if (this.spoilt.size === 0) return true;
    const isSpoilt = (order: Order) => isUnfinished(order) && this.spoilt.has(order.id);
    return !this.spoilt.has(packageId) && !this.ordersOf(packageId).some(isSpoilt);
  }

  /** Whether an instance must have noticed by now that it can own the package. */
  isOwnableFor(packageId: number, now: number): boolean {
    return this.isOwnable(packageId) && now - (this.#repairedAt.get(packageId) ?? -repairedMs) >= repairedMs;
  }

  /** The stored document of a package or an order. @throws Error if it cannot be read. */
  document<Item>(id: number | string, item: Item): Item {
    const how = this.spoilt.get(id);
    if (how === 'damaged') throw new TypeError(`${id} is damaged`);
    if (how !== undefined) throw new NewerDocumentError(how);
    return item;
  }

  raiseEpoch(packageId: number, instance: string, by: SimHost): Omit<Ownership, 'unfinished'> | undefined {
    const row = this.packages.get(packageId);
    if (row === undefined) return undefined;
    const { owner: former } = row;
    row.epoch += 1;
    row.owner = instance;
    row.release = Math.max(row.release, by.release);
    this.onTaken(packageId, by);
    const { epoch, seq } = row;
    return { ...snapshotOf(row), fence: { epoch, seq }, ...(former === undefined ? {} : { former }) };
  }

  remove(packageId: number, fence: Fence): void {
    const row = this.packages.get(packageId);
    const isThere = row?.epoch === fence.epoch && row.seq === fence.seq;
    if (!isThere || row.inventory.nextNumber !== 1) {
      throw new FencedError(
        `package ${packageId} cannot be removed at epoch ${fence.epoch}, seq ${fence.seq}`,
      );
    }
    this.#removedSeqs.set(packageId, row.seq + 1);
    this.packages.delete(packageId);
  }

  commit(packageId: number, fence: Fence, change: Change, by: SimHost): void {
    const row = this.packages.get(packageId);
    if (row === undefined || row.epoch !== fence.epoch || row.seq !== fence.seq) {
      throw new FencedError(`package ${packageId} is no longer at epoch ${fence.epoch}, seq ${fence.seq}`);
    }
    this.#refuseImpossible(packageId, row, change);
    const before = { package: row.package, inventory: row.inventory };
    row.seq += 1;
    row.inventory = change.inventory;
    row.package = change.package ?? row.package;
    for (const order of change.inserted) {
      this.orders.set(order.id, order);
      row.orders.push(order);
      if (order.key !== undefined) row.byKey.set(order.key, order.id);
    }
    if (change.inserted.length > 0) row.orders.sort((one, other) => one.number - other.number);
    for (const order of change.erased ?? []) this.#erase(row, order);
    for (const order of change.updated) this.orders.set(order.id, order);
    row.newest = undefined;
    this.outbox.add(packageId, change.notices ?? []);
    this.onApplied({ packageId, before, row, change, by });
  }

  #erase(row: PackageRow, order: Order): void {
    const { key, email } = this.orders.get(order.id) as Order;
    if (!this.erasedEmails.has(order.id)) this.erasedEmails.set(order.id, email);
    if (key !== undefined) row.byKey.delete(key);
    if (order.key !== undefined) row.byKey.set(order.key, order.id);
    this.orders.set(order.id, order);
  }

  /** All orders of a package in their newest version, sorted by number. */
  ordersOf(packageId: number): readonly Order[] {
    const row = this.packages.get(packageId);
    if (row === undefined) return [];
    row.newest ??= row.orders.map(({ id }) => this.orders.get(id) as Order);
    return row.newest;
  }

  clear(): void {
    this.packages.clear();
    this.orders.clear();
    this.spoilt.clear();
  }

  #refuseImpossible(packageId: number, row: PackageRow, change: Change): void {
    const { package: replaced, inserted, updated, erased = [] } = change;
    for (const { id, packageId: of, number, status } of erased) {
      const stored = this.orders.get(id);
      const isSame = stored?.packageId === of && stored.number === number && stored.status === status;
      if (of !== packageId || !isSame) throw new Error(`order ${id} cannot be erased`);
    }
    const numbers = new Set(inserted.length === 0 ? [] : row.orders.map(({ number }) => number));
    const keys = new Set(inserted.length === 0 ? [] : row.byKey.keys());
    const ids = new Set<string>();
    if (replaced !== undefined && replaced.id !== packageId) throw new Error('a package of another id');
    for (const { id, packageId: of, number, key } of inserted) {
      const isTaken = this.orders.has(id) || ids.has(id) || numbers.has(number) || keys.has(key ?? '\0');
      if (of !== packageId || isTaken) throw new Error(`order ${id} cannot be inserted`);
      ids.add(id);
      numbers.add(number);
      if (key !== undefined) keys.add(key);
    }
    for (const { id, packageId: of, number, key } of updated) {
      const stored = this.orders.get(id) ?? inserted.find((order) => order.id === id);
      const isSame = stored?.packageId === packageId && stored.number === number && stored.key === key;
      if (of !== packageId || !isSame) throw new Error(`order ${id} cannot be updated`);
    }
  }
}

export function snapshotOf({ package: travelPackage, inventory }: Readonly<PackageRow>): PackageSnapshot {
  return { package: travelPackage, inventory };
}

/** Whether the store is unavailable to a host. */
export type StoreOutage = (host: SimHost) => boolean;

/** The store of one process. Every call may be lost, and so may its reply. */
export function simStore(world: World, host: SimHost, core: StoreCore, isAway: StoreOutage): Store {
  let isClosed = false;
  const failed = () => isClosed || isAway(host);
  const unreadable = new UnreadableDocuments();
  const packageOf = (row: PackageRow) =>
    counted(
      'package',
      unreadable.read({ packageId: row.package.id }, () => core.document(row.package.id, snapshotOf(row))),
    );
  const orderOf = (order: Order) =>
    counted(
      'order',
      unreadable.read({ packageId: order.packageId, orderId: order.id }, () =>
        core.document(order.id, order),
      ),
    );
  const listed = (orders: readonly Order[]) => sift(orders.map(orderOf)).items;
  const single = (order: Order | undefined) => order && readable(orderOf(order));
  const byId = (id: string) => {
    const order = core.orders.get(id);
    if (order === undefined) unreadable.forget(id);
    return order;
  };

  function counted<Item>(what: string, item: Item | UnreadableError): Item | UnreadableError {
    if (item instanceof UnreadableError)
      world.counters.count(`met a ${item.version === undefined ? 'damaged' : 'newer'} ${what}`);
    return item;
  }

  function read<T>(what: string, serve: () => T): Promise<T> {
    return ask(what, serve, 'storeLost', 'storeReplyLost', () => new StoreUnavailableError('no reply'));
  }

  function ask<T>(
    what: string,
    serve: () => T,
    lost: keyof FaultRates,
    replyLost: keyof FaultRates,
    unavailable: (mayBeDone: boolean) => Error,
  ): Promise<T> {
    return world.call(host, what, { serve, lost, replyLost, failed, unavailable });
  }

  /** Counts the faults between the raise of the epoch and the last page of the orders. */
  async function withinTakeover(
    id: number,
    epoch: number,
    readAll: () => Promise<Order[]>,
  ): Promise<Order[]> {
    host.takeovers += 1;
    try {
      const all = await readAll();
      if (core.packages.get(id)?.epoch !== epoch) world.counters.count('takeover overtaken');
      const isLong = core.takeoverPage === undefined && all.length > readMax;
      if (isLong) world.counters.count('a takeover read several pages of the product');
      return all;
    } catch (error) {
      world.counters.count('takeover without its orders');
      throw error;
    } finally {
      host.takeovers -= 1;
    }
  }

  return {
    packagesPage: (cursor, limit) =>
      read('packages', () => {
        const { items: ids, ...next } = packageIdsAfter(core, cursor, limit);
        unreadable.forgetPackagesBut(cursor, next, () => ids);
        const rows = ids.map((id) => core.packages.get(id) as PackageRow);
        return { items: sift(rows.map(packageOf)).items, ...next };
      }),
    package: (id) =>
      read(`package ${id}`, () => {
        const row = core.packages.get(id);
        if (row === undefined) unreadable.forget(id);
        return row && readable(packageOf(row));
      }),
    unreadable: () => unreadable.list(),
    addPackages: (packages) => read('add packages', () => core.add(packages)),
    owner: (id) => read(`owner ${id}`, () => core.packages.get(id)?.owner),
    ownersOf: (ids) => read('owners', () => ids.flatMap((id) => ownerRecord(core, id))),
    ownersPage: (cursor, limit) =>
      read('owners page', () => {
        const { items: ids, ...next } = packageIdsAfter(core, cursor, limit);
        return { items: ids.flatMap((id) => ownerRecord(core, id)), ...next };
      }),
    lastPackageId: () => read('last package', () => Math.max(0, ...core.packages.keys())),
    packagesWithUnfinished: () =>
      read('unfinished', () =>
        [...core.packages.keys()].filter((id) => core.ordersOf(id).some(isUnfinished)).sort((a, b) => a - b),
      ),
    async takeOwnership(id, instance) {
      const raised = await read(`take ${id}`, () => {
        const row = core.packages.get(id);
        if (row !== undefined) readable(packageOf(row));
        if ((row?.release ?? 0) > host.release) {
          world.counters.count('newer release');
          throw new UnreadableError({ packageId: id }, row?.release);
        }
        const taken = core.raiseEpoch(id, instance, host);
        if ((taken?.fence.epoch ?? 0) > 1) world.counters.count('takeover');
        return taken;
      });
      if (raised === undefined) return undefined;
      const unfinished = await withinTakeover(id, raised.fence.epoch, () =>
        readUnfinished(
          (above = 0, limit) =>
            read(`unfinished of ${id} above ${above}`, () =>
              inTime(
                core
                  .ordersOf(id)
                  .filter((order) => isUnfinished(order) && order.number > above)
                  .slice(0, limit),
              ).map((order) => readable(orderOf(order))),
            ),
          core.takeoverPage,
        ),
      );
      return { ...raised, unfinished };
    },
    versionedPackage: (id, wanted = { ids: [] }) =>
      read(`present ${id}`, () => {
        const present = presentOf(core, id, wanted);
        const row = core.packages.get(id);
        if (row !== undefined) readable(packageOf(row));
        return present && { ...present, orders: present.orders.map((order) => readable(orderOf(order))) };
      }),
    commit(id, fence, change) {
      let isApplied = false;
      return ask(
        `commit ${id} ${fence.epoch}.${fence.seq} +${change.inserted.length} ~${change.updated.length}`,
        () => {
          try {
            core.commit(id, fence, change, host);
            isApplied = true;
          } catch (error) {
            world.counters.count(error instanceof FencedError ? 'fenced' : 'commit refused');
            throw error;
          }
          world.counters.count('commit');
        },
        'storeLost',
        'storeReplyLost',
        (mayBeDone) => {
          // The caller cannot always tell a lost call from a lost reply.
          const isUnknown = mayBeDone || (!isClosed && world.prng.chance(0.3));
          const what = `unknown, ${isApplied ? 'applied' : 'not applied'}`;
          world.counters.count(`commit ${isUnknown ? what : 'unavailable'}`);
          return isUnknown ? new CommitUnknownError('no reply') : new StoreUnavailableError('not sent');
        },
      );
    },
    removePackage: (id, fence) =>
      ask(
        `remove ${id} ${fence.epoch}.${fence.seq}`,
        () => core.remove(id, fence),
        'storeLost',
        'storeReplyLost',
        (mayBeDone) =>
          mayBeDone ? new CommitUnknownError('no reply') : new StoreUnavailableError('not sent'),
      ),
    order: (id) => read(`order ${id}`, () => single(byId(id))),
    orders: (ids) => read('orders', () => listed([...new Set(ids)].flatMap((id) => byId(id) ?? []))),
    ordersByKey: (id, keys) =>
      read('orders by key', () => {
        const byKey = core.packages.get(id)?.byKey;
        return [...new Set(keys)].flatMap((key) => single(core.orders.get(byKey?.get(key) ?? '')) ?? []);
      }),
    liveOrdersByEmail: (id, emails) => read('orders by email', () => liveByEmail(core.ordersOf(id), emails)),
    ordersPage: (id, cursor, limit) =>
      read('page', () => {
        const { items, ...next } = pageOf(core.ordersOf(id), cursor, limit);
        return { ...sift(items.map(orderOf)), ...next };
      }),
    packageWithOrdersAbove: (above) =>
      read('package with orders', () => {
        const ids = [...core.packages].filter(([id, row]) => id > above && row.orders.length > 0);
        return ids.length === 0 ? undefined : Math.min(...ids.map(([id]) => id));
      }),
    ordersBelow: (id, number = Number.POSITIVE_INFINITY, limit) =>
      read('orders below', () => {
        const below = core.ordersOf(id).filter((order) => order.number < number);
        return listed(below).reverse().slice(0, limit);
      }),
    ordersByEmail: (email, cursor, limit) =>
      read('orders by email, all', () => {
        const place = ({ packageId, number }: Order) => packageId * 1e9 + number;
        const [packageId, number] = (cursor ?? '').split('-').map(Number) as [number, number];
        const below = cursor === undefined ? Number.POSITIVE_INFINITY : packageId * 1e9 + number;
        const all = [...core.orders.values()].filter(
          (order) => order.email === email && place(order) < below,
        );
        const items = all.sort((one, other) => place(other) - place(one)).slice(0, limit);
        const last = items.at(-1);
        const next =
          items.length < limit || last === undefined ? {} : { next: `${last.packageId}-${last.number}` };
        return { items: listed(items), ...next };
      }),
    ...simOperatorLog(core, read),
    archivedCounts: async () => ({ orders: 0, confirmed: 0 }),
    archivedIds: async () => [],
    settingIfAny: (name) => read('setting if any', () => core.settings.get(name)),
    setting: (name, make) =>
      read('setting', () => {
        const value = core.settings.get(name) ?? make();
        core.settings.set(name, value);
        return value;
      }),
    settingsNamed: (prefix) =>
      read('settings named', () => new Map([...core.settings].filter(([name]) => name.startsWith(prefix)))),
    swapSetting: (name, before, after) =>
      read('swap setting', () => {
        if (core.settings.get(name) !== before) return false;
        if (after === undefined) core.settings.delete(name);
        else core.settings.set(name, after);
        return true;
      }),
    clear: () => read('clear', () => core.clear()),
    ping: () => read('ping', () => {}),
    probe: () => read('probe', () => {}),
    async close() {
      isClosed = true;
    },
  };
}

/** @throws StoreUnavailableError for more orders than the store reads within the time limit */
function inTime(orders: readonly Order[]): readonly Order[] {
  if (orders.length > readMax) throw new StoreUnavailableError('the read took longer than its time limit');
  return orders;
}

function packageIdsAfter(core: StoreCore, cursor: string | undefined, limit: number): Page<number> {
  const ids = [...core.packages.keys()].filter((id) => id > Number(cursor ?? 0)).sort((a, b) => a - b);
  return storedPageOf(ids.slice(0, limit), limit, String);
}

function ownerRecord(core: StoreCore, packageId: number): OwnerRecord[] {
  const row = core.packages.get(packageId);
  if (row === undefined) return [];
  const { owner, epoch } = row;
  return [{ packageId, ...(owner === undefined ? {} : { instance: owner }), epoch }];
}

type Read = <T>(what: string, serve: () => T) => Promise<T>;

function simOperatorLog({ operatorEvents: events }: StoreCore, read: Read): OperatorLog {
  return {
    appendOperatorEvent: (event) =>
      read('append operator event', () => {
        if (!events.has(event.id)) events.set(event.id, event);
      }),
    endOperatorEvent: (id, end) =>
      read('end operator event', () => {
        const event = events.get(id);
        if (event?.outcome === 'open') events.set(id, { ...event, ...end });
      }),
    operatorEvents: (cursor, limit) =>
      read('operator events', () => {
        const nameOf = ({ at, id }: OperatorEvent) => `${String(at).padStart(16, '0')}-${id}`;
        const names = new Map([...events.values()].map((event) => [nameOf(event), event]));
        const wanted = [...names.keys()].filter((name) => cursor === undefined || name < cursor);
        const found = wanted.sort().reverse().slice(0, limit);
        const items = found.map((name) => names.get(name) as OperatorEvent);
        return items.length < limit ? { items } : { items, next: found.at(-1) as string };
      }),
  };
}

function presentOf(core: StoreCore, id: number, wanted: OrderSelection): VersionedPackage | undefined {
  const row = core.packages.get(id);
  if (row === undefined) return undefined;
  const { epoch, seq } = row;
  const orders = core.ordersOf(id).filter((order) => {
    if ('ids' in wanted) return wanted.ids.includes(order.id);
    const isAbove = order.number > (wanted.above ?? 0);
    return isAbove && isUnfinished(order) && wanted.statuses.includes(order.status);
  });
  const few = 'ids' in wanted ? orders : orders.slice(0, wanted.max);
  return { ...snapshotOf(row), fence: { epoch, seq }, orders: few };
}

function liveByEmail(orders: readonly Order[], emails: readonly string[]): Map<string, number> {
  const live = ['queued', ...holdingStatuses, ...confirmedStatuses];
  const counts = new Map<string, number>();
  for (const { email, status } of orders) {
    if (emails.includes(email) && live.includes(status)) counts.set(email, (counts.get(email) ?? 0) + 1);
  }
  return counts;
}

function pageOf(orders: readonly Order[], cursor: string | undefined, limit: number): Page<Order> {
  const items = orders.filter(({ number }) => number > Number(cursor ?? 0)).slice(0, limit);
  return items.length < limit ? { items } : { items, next: String(items.at(-1)?.number) };
}
