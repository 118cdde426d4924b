import type { Order } from '../domain/order.ts';
import { backoffMs } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { ArchiveStore, StoredReservation } from '../storage/archive-store.ts';
import { endedSessionPrefix } from '../storage/operator-log.ts';
import { type Store, StoreUnavailableError } from '../storage/store.ts';
import { supplierKinds } from '../suppliers/suppliers.ts';
import type { ArchiveFile } from './archive-file.ts';
import type { ArchiveRecord, EndedSession } from './archive-record.ts';
import { cutoffOf, isExpired } from './retention.ts';

/** What was written to the archive. */
export interface ArchiveTotals {
  orders: number;
  reservations: number;
  changes: number;
  sessions: number;
}

export interface ArchiveOptions {
  readonly store: Store & { readonly archive: ArchiveStore };
  readonly file: Pick<ArchiveFile, 'append' | 'lastPage'>;
  readonly retentionDays: number;
  readonly clock: Clock;
  /** The most documents of one kind in a page; default 100. */
  readonly pageSize?: number;
  /** Called after each page. */
  readonly onProgress?: (totals: Readonly<ArchiveTotals>) => void;
}

/** About 3 minutes in all: the MongoDB transaction of a killed process can lock its orders for a minute. */
const attemptsMax = 60;
/** The most orders in one transaction. Few, because commits of the sale wait for the store meanwhile. */
const ordersAtOnce = 20;
/** How many packages are read at a time. */
const packagesAtOnce = 1_000;
const pauses = { firstMs: 100, maxMs: 3_000 };

/**
 * Writes everything that is older than the retention period to an archive and removes it from the store, page by page,
 * while instances sell.
 *
 * ```
 * read a page ──► write it ──► sync it ──► read it back ──► remove exactly what was read back
 * ```
 *
 * A process that is killed loses nothing: its last page is in the archive, and the next run with the same file removes
 * it from the store before anything else.
 * @throws StoreUnavailableError if the store is away for minutes; ArchiveFileError.
 */
export async function archive(options: ArchiveOptions): Promise<Readonly<ArchiveTotals>> {
  const pass = new ArchivePass(options);
  await pass.run();
  return pass.totals;
}

class ArchivePass {
  readonly totals: ArchiveTotals = { orders: 0, reservations: 0, changes: 0, sessions: 0 };
  readonly #options: ArchiveOptions;
  readonly #pageSize: number;
  /** When the pass began, as Unix time in ms. */
  readonly #now: number;
  readonly #cutoff: number;

  constructor(options: ArchiveOptions) {
    this.#options = options;
    this.#pageSize = options.pageSize ?? 100;
    this.#now = options.clock.now();
    this.#cutoff = cutoffOf(this.#now, options.retentionDays);
  }

  async run(): Promise<void> {
    const { file, store } = this.#options;
    await this.#retried(() => this.#remove(file.lastPage));
    let cursor: string | undefined;
    do {
      const page = await this.#retried(() => store.packagesPage(cursor, packagesAtOnce));
      for (const { package: travelPackage } of page.items) await this.#archiveOrders(travelPackage.id);
      cursor = page.next;
    } while (cursor !== undefined);
    await this.#archivePublicReservations();
    await this.#archiveChanges();
    await this.#archiveSessions();
  }

  /**
   * Orders are numbered in the order in which they were made, so the first page that has only new ones is the last. A
   * time in the future says nothing, because a clock was ahead.
   */
  async #archiveOrders(packageId: number): Promise<void> {
    const { store } = this.#options;
    let cursor: string | undefined;
    do {
      const page = await this.#retried(() => store.ordersPage(packageId, cursor, this.#pageSize));
      const orders = page.items.filter((order) => isExpired(order, this.#cutoff));
      const ids = orders.map(({ id }) => id);
      const reservations =
        ids.length === 0 ? [] : await this.#retried(() => store.archive.reservationsOf(ids));
      await this.#move([
        ...orders.map((order) => ({ order })),
        ...reservations.map((reservation) => ({ reservation })),
      ]);
      const isNew = ({ createdAt }: Order) => createdAt >= this.#cutoff && createdAt <= this.#now;
      const isOver = page.items.length > 0 && page.items.every(isNew);
      cursor = isOver ? undefined : page.next;
    } while (cursor !== undefined);
  }

  /** Entries of older releases have no time and count as old. */
  async #archivePublicReservations(): Promise<void> {
    const { archive: archived } = this.#options.store;
    for (const kind of supplierKinds) {
      let cursor: string | undefined;
      do {
        const page = await this.#retried(() => archived.publicReservations(kind, cursor, this.#pageSize));
        const old = page.items.filter(({ at = 0 }) => at < this.#cutoff);
        await this.#move(old.map((reservation) => ({ reservation })));
        cursor = page.next;
      } while (cursor !== undefined);
    }
  }

  async #archiveChanges(): Promise<void> {
    const { store } = this.#options;
    const before = Math.max(this.#cutoff, 0);
    let cursor: string | undefined;
    do {
      const page = await this.#retried(() =>
        store.archive.operatorEventsBefore(before, cursor, this.#pageSize),
      );
      await this.#move(page.items.map((change) => ({ change })));
      cursor = page.next;
    } while (cursor !== undefined);
  }

  async #archiveSessions(): Promise<void> {
    const { store, clock } = this.#options;
    const settings = await this.#retried(() => store.settingsNamed(endedSessionPrefix));
    const old: EndedSession[] = [];
    for (const [name, value] of settings) {
      const endedAt = Number(value);
      if (Number.isNaN(endedAt)) {
        // An older release did not store the time. Counted from now, the session is kept long enough.
        await this.#retried(() => store.swapSetting(name, value, String(clock.now())));
      } else if (endedAt < this.#cutoff) old.push({ id: name.slice(endedSessionPrefix.length), endedAt });
    }
    for (let at = 0; at < old.length; at += this.#pageSize)
      await this.#move(old.slice(at, at + this.#pageSize).map((session) => ({ session })));
  }

  /** Moves documents from the store to the archive. */
  async #move(records: readonly ArchiveRecord[]): Promise<void> {
    if (records.length === 0) return;
    const written = await this.#options.file.append(records);
    await this.#retried(() => this.#remove(written));
    for (const record of written) this.#count(record);
    this.#report();
  }

  async #remove(records: readonly ArchiveRecord[]): Promise<void> {
    const { store } = this.#options;
    const orders = records.flatMap((record) => ('order' in record ? [record.order] : []));
    const reservations = records.flatMap((record) => ('reservation' in record ? [record.reservation] : []));
    const changes = records.flatMap((record) => ('change' in record ? [record.change] : []));
    const ids = new Set(orders.map(({ id }) => id));
    const [ofOrders, others] = partition(reservations, ({ key }) => ids.has(key));
    for (const [packageId, group] of Map.groupBy(orders, (order: Order) => order.packageId)) {
      for (let at = 0; at < group.length; at += ordersAtOnce) {
        const some = group.slice(at, at + ordersAtOnce);
        await this.#paced(() => store.archive.removeOrders(packageId, some, ofOrders));
      }
    }
    if (others.length > 0) await this.#paced(() => store.archive.removeReservations(others));
    if (changes.length > 0) await this.#paced(() => store.archive.removeOperatorEvents(changes));
    for (const record of records) {
      if (!('session' in record)) continue;
      const { id, endedAt } = record.session;
      await store.swapSetting(endedSessionPrefix + id, String(endedAt), undefined);
    }
  }

  /** Sleeps as long as the work took, so that the sale gets at least half of the store's time. */
  async #paced(work: () => Promise<unknown>): Promise<void> {
    const { clock } = this.#options;
    const from = clock.monotonic();
    await work();
    await clock.sleep(clock.monotonic() - from);
  }

  #count(record: ArchiveRecord): void {
    if ('order' in record) this.totals.orders += 1;
    else if ('reservation' in record) this.totals.reservations += 1;
    else if ('change' in record) this.totals.changes += 1;
    else this.totals.sessions += 1;
  }

  #report(): void {
    this.#options.onProgress?.(this.totals);
  }

  /** Repeats work that the store cannot do now. All work here may be repeated. */
  async #retried<T>(work: () => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures++) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof StoreUnavailableError) || failures >= attemptsMax) throw error;
        await this.#options.clock.sleep(backoffMs(failures, pauses));
      }
    }
  }
}

function partition(
  reservations: readonly StoredReservation[],
  isFirst: (reservation: StoredReservation) => boolean,
): readonly [StoredReservation[], StoredReservation[]] {
  return [reservations.filter(isFirst), reservations.filter((each) => !isFirst(each))];
}
