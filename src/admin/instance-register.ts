import { z } from 'zod';
import type { Peers } from '../engine/operated-engine.ts';
import type { Clock } from '../lib/clock.ts';
import { settlesWithin } from '../lib/deadline.ts';
import { defined } from '../lib/defined.ts';
import { itemsOf } from '../lib/page.ts';
import type { Log } from '../observability/log.ts';
import { type Store, UnreadableError } from '../storage/store.ts';

/** An instance that crashed or was cut off without draining. */
export interface LostInstance {
  readonly id: string;
  /** When the instance stopped announcing itself, as Unix time in ms. */
  readonly at: number;
  /** The instance that noticed the loss. */
  readonly noticedBy: string;
  /** How many packages the lost instance owned. */
  readonly packages: number;
  /** The ids of the lost instance's packages, the lowest ten at most. */
  readonly firstPackages: readonly number[];
  /** The present owners of the lost instance's packages, counted for its first thousand packages. */
  readonly takenOver: readonly { readonly instance: string; readonly packages: number }[];
  /** How many packages of the lost instance have no new owner yet, without archived packages. */
  readonly unowned: number;
}

/** An instance that should run, does not announce itself, and is not lost yet. */
export interface AbsentInstance {
  readonly id: string;
  /** `draining`: the instance noted that it is leaving. `silent`: it did not. */
  readonly state: 'silent' | 'draining';
}

export interface InstanceRegisterOptions {
  readonly store: Pick<Store, 'settingsNamed' | 'swapSetting' | 'ownersPage' | 'ownersOf' | 'package'>;
  readonly peers: Pick<Peers, 'members' | 'available'>;
  readonly clock: Clock;
  readonly log: Log;
  /** The name of this instance. */
  readonly instance: string;
  /** How long a lost instance is shown, unless an operator dismisses it. Default: a day. */
  readonly shownMs?: number;
}

const dayMs = 24 * 3_600_000;
const readEveryMs = 1_000;
/** An instance is lost after it was absent from the members for this long. */
const graceMs = 3_000;
/** A draining instance is lost only after this long, which is how long orchestrators commonly wait before SIGKILL. */
const drainGraceMs = 30_000;
/** A store that does not answer delays a drain by at most this long. */
const leavingTimeoutMs = 1_000;
/** How many owners one reading of the register reads. The next reading continues above them. */
const ownersPage = 1_000;
/** How many package ids a lost instance's entry keeps. */
const idsMax = 1_000;
/** More than the number of instances that may change one entry at the same time. */
const leaveTriesMax = 5;
const prefix = 'instance:';

const entry = z.object({
  startedAt: z.number(),
  /** True while the instance drains. */
  leaving: z.boolean().optional(),
  /** Absent unless the instance is lost. */
  lost: z
    .object({ at: z.number(), by: z.string(), packages: z.number(), ids: z.array(z.number()) })
    .optional(),
});
type Entry = z.output<typeof entry>;

interface StoredEntry extends Entry {
  readonly id: string;
  /** The entry's JSON text. */
  readonly text: string;
}

/**
 * The list of instances that should be running, kept in the store. Each instance signs in when it starts, notes that it
 * is leaving when it begins to drain, and signs out when it has drained. An instance that is signed in but no longer
 * announces itself is lost. Any other instance may notice the loss, even if it started later or Redis was wiped. An
 * instance that comes back under its id signs in again, and is no longer lost.
 *
 * ```
 *   (none) ──start──► running ──away for 3 s, or 30 s if leaving──► lost ──dismissed, or a day later──► (none)
 *     ▲                 │  ▲                                         │
 *     └─────drained─────┘  └───────────────came back─────────────────┘
 * ```
 */
export class InstanceRegister {
  readonly #options: InstanceRegisterOptions;
  readonly #startedAt: number;
  readonly #stopping = new AbortController();
  readonly #absentSince = new Map<string, number>();
  /**
   * The owner of each package as last read, because a lost instance's packages may already have new owners when the
   * loss is noticed.
   */
  #owners: ReadonlyMap<number, string | undefined> = new Map();
  /** The owners that were read since the cursor was at the first package. */
  #nextOwners = new Map<number, string | undefined>();
  #ownersCursor: string | undefined;
  #lost: readonly LostInstance[] = [];
  #absent: readonly AbsentInstance[] = [];
  #isLeaving = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: InstanceRegisterOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  /** The lost instances, as of the last reading. */
  get lost(): readonly LostInstance[] {
    return this.#lost;
  }

  /** The absent instances that are not lost, as of the last reading. */
  get absent(): readonly AbsentInstance[] {
    return this.#absent;
  }

  /** Signs in, and watches the other instances until {@link leave}. */
  start(): void {
    this.#running = this.#run();
  }

  /**
   * Notes that this instance drains, so that a long drain does not count as a loss. Takes a second at most. Never
   * throws.
   */
  async leaving(): Promise<void> {
    this.#isLeaving = true;
    const { instance, clock, log } = this.#options;
    const write = async () => this.#signIn((await this.#read()).find(({ id }) => id === instance));
    const written = write().catch((err: unknown) => log.debug({ err }, 'the drain could not be noted'));
    await settlesWithin(leavingTimeoutMs, written, clock);
  }

  /** Signs out: this instance has drained. Never throws. */
  async leave(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    const { instance, log } = this.#options;
    try {
      for (let tries = 1; tries <= leaveTriesMax; tries++) {
        const own = (await this.#read()).find(({ id }) => id === instance);
        // Another instance may mark this entry as lost between the read and the swap, so the removal is tried again.
        if (own === undefined || (await this.#swap(instance, own.text, undefined))) return;
      }
      log.warn({}, 'this instance could not sign out: others changed its entry meanwhile');
    } catch (err) {
      log.warn({ err }, 'this instance could not sign out of the store: it will be shown as lost');
    }
  }

  /** Removes a lost instance from the list. False if no instance with this id is lost. @throws StoreUnavailableError */
  async dismiss(id: string): Promise<boolean> {
    const found = (await this.#read()).find((each) => each.id === id && each.lost !== undefined);
    if (found === undefined || !(await this.#swap(id, found.text, undefined))) return false;
    this.#lost = this.#lost.filter((each) => each.id !== id);
    return true;
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options;
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#update();
      } catch (err) {
        log.debug({ err }, 'the register of instances could not be read or written');
      }
      await clock.sleep(readEveryMs, this.#stopping.signal);
    }
  }

  async #update(): Promise<void> {
    const { instance, clock, shownMs = dayMs } = this.#options;
    const entries = await this.#read();
    const own = entries.find(({ id }) => id === instance);
    if (own?.startedAt !== this.#startedAt || own.lost !== undefined) await this.#signIn(own);
    const newlyLost = this.#findLost(entries);
    for (const each of newlyLost) await this.#lose(each);
    await this.#readOwners();
    const lost: [string, NonNullable<Entry['lost']>][] = [];
    for (const each of newlyLost.length === 0 ? entries : await this.#read()) {
      if (each.lost === undefined || each.id === instance) continue;
      if (clock.now() - each.lost.at > shownMs) await this.#swap(each.id, each.text, undefined);
      else lost.push([each.id, each.lost]);
    }
    this.#lost = await Promise.all(
      lost.map(async ([id, each]) => lostInstance(id, each, await this.#ownersNow(id, each.ids))),
    );
    this.#absent = entries
      .filter(({ id }) => this.#absentSince.has(id) && !lost.some(([lostId]) => lostId === id))
      .map(({ id, leaving }) => ({ id, state: leaving === true ? 'draining' : 'silent' }));
  }

  async #signIn(own: StoredEntry | undefined): Promise<void> {
    const { instance, log } = this.#options;
    const leaving = this.#isLeaving || undefined;
    const text = JSON.stringify({ startedAt: this.#startedAt, ...defined({ leaving }) } satisfies Entry);
    if ((await this.#swap(instance, own?.text, text)) && own?.lost !== undefined) {
      log.info({}, 'this instance was taken for lost, and is back');
    }
  }

  /** The entries of instances that have been absent for their grace period. */
  #findLost(entries: readonly StoredEntry[]): StoredEntry[] {
    const { peers, clock, instance } = this.#options;
    // While Redis does not answer, no instance can be seen, and none counts as lost.
    if (!peers.available) this.#absentSince.clear();
    const now = clock.monotonic();
    const members = new Set(peers.members());
    for (const id of this.#absentSince.keys()) if (members.has(id)) this.#absentSince.delete(id);
    if (!peers.available) return [];
    return entries.filter(({ id, lost, leaving }) => {
      if (id === instance || lost !== undefined || members.has(id)) return false;
      const since = this.#absentSince.get(id) ?? now;
      this.#absentSince.set(id, since);
      return now - since >= (leaving === true ? drainGraceMs : graceMs);
    });
  }

  async #lose({ id, startedAt, text }: StoredEntry): Promise<void> {
    const { store, clock, instance, log } = this.#options;
    const since = this.#absentSince.get(id);
    const at = Math.round(clock.now() - (since === undefined ? 0 : clock.monotonic() - since));
    const owned = new Set<number>();
    for (const owners of [this.#owners, this.#nextOwners])
      for (const [packageId, owner] of owners) if (owner === id) owned.add(packageId);
    for await (const record of itemsOf((cursor, limit) => store.ownersPage(cursor, limit)))
      if (record.instance === id) owned.add(record.packageId);
    const ids = [...owned].sort((one, other) => one - other);
    const lost = { at, by: instance, packages: ids.length, ids: ids.slice(0, idsMax) };
    // Only the first instance that notices a loss records it. The others read that entry.
    if (!(await this.#swap(id, text, JSON.stringify({ startedAt, lost } satisfies Entry)))) return;
    this.#absentSince.delete(id);
    log.error(
      { lost: id, packages: ids.length, firstPackages: ids.slice(0, 10) },
      'an instance is lost: it has not announced itself any more, and did not leave in order',
    );
  }

  /** Reads the next owners. So a reading takes no longer with more packages. */
  async #readOwners(): Promise<void> {
    const { items, next } = await this.#options.store.ownersPage(this.#ownersCursor, ownersPage);
    for (const { packageId, instance } of items) {
      const before = this.#owners.get(packageId);
      // The packages of an instance that may be lost are remembered until that is known.
      const isKept = before !== undefined && this.#absentSince.has(before);
      this.#nextOwners.set(packageId, isKept ? before : instance);
    }
    this.#ownersCursor = next;
    if (next !== undefined) return;
    this.#owners = this.#nextOwners;
    this.#nextOwners = new Map();
  }

  /** The present owners of a lost instance's packages. Nobody buys an archived package, so it gets no new owner. */
  async #ownersNow(lost: string, ids: readonly number[]): Promise<ReadonlyMap<number, string | undefined>> {
    const { store } = this.#options;
    const records = await store.ownersOf(ids);
    const archived = await Promise.all(
      records.map(async ({ packageId, instance }) => instance === lost && this.#isArchived(packageId)),
    );
    const current = records.filter((_, index) => archived[index] !== true);
    return new Map(current.map(({ packageId, instance }) => [packageId, instance]));
  }

  async #isArchived(packageId: number): Promise<boolean> {
    try {
      return (await this.#options.store.package(packageId))?.package.archived === true;
    } catch (error) {
      if (error instanceof UnreadableError) return false;
      throw error;
    }
  }

  async #read(): Promise<StoredEntry[]> {
    const found = await this.#options.store.settingsNamed(prefix);
    return [...found].flatMap(([name, text]) => {
      const parsed = parseEntry(text);
      return parsed === undefined ? [] : [{ id: name.slice(prefix.length), text, ...parsed }];
    });
  }

  #swap(id: string, before: string | undefined, after: string | undefined): Promise<boolean> {
    return this.#options.store.swapSetting(prefix + id, before, after);
  }
}

/** Undefined for an entry that this release does not understand. Such an entry is left unchanged. */
function parseEntry(text: string): Entry | undefined {
  try {
    return entry.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** @param owners the owner of each package. */
function lostInstance(
  id: string,
  { at, by, packages, ids }: NonNullable<Entry['lost']>,
  owners: ReadonlyMap<number, string | undefined>,
): LostInstance {
  const takenOver = new Map<string, number>();
  let unowned = 0;
  for (const packageId of ids) {
    const owner = owners.get(packageId);
    if (owner === id) unowned++;
    else if (owner !== undefined) takenOver.set(owner, (takenOver.get(owner) ?? 0) + 1);
  }
  const takers = [...takenOver].map(([instance, count]) => ({ instance, packages: count }));
  return { id, at, noticedBy: by, packages, firstPackages: ids.slice(0, 10), takenOver: takers, unowned };
}
