import { z } from 'zod';
import type { Peers } from '../engine/operated-engine.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../observability/log.ts';
import type { OwnerRecord, Store } from '../storage/store.ts';
import type { LostInstance } from './admin-service.ts';

export interface InstanceRegisterOptions {
  readonly store: Pick<Store, 'settingsNamed' | 'swapSetting' | 'ownerRecords'>;
  readonly peers: Pick<Peers, 'members' | 'available'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Of this instance. */
  readonly instance: string;
  /** How often the register is read; default 1,000 ms. */
  readonly everyMs?: number;
  /** How long an instance must be away from the members before it is lost; default 3,000 ms. */
  readonly graceMs?: number;
  /** How long a lost instance is shown, unless an operator dismisses it; default a day. */
  readonly keptMs?: number;
}

const dayMs = 24 * 3_600_000;
/** With every n-th reading of the register, the owners of all packages are read too. */
const ownersEvery = 5;
/** How many ids of a lost instance's packages are kept. */
const idsMax = 1_000;
/** Each of the others writes an entry once. */
const leaveTriesMax = 5;
const prefix = 'instance:';

const entry = z.object({
  startedAt: z.number(),
  /** Absent while it runs. */
  lost: z
    .object({
      at: z.number(),
      by: z.string(),
      packages: z.number(),
      ids: z.array(z.number()),
    })
    .optional(),
});
type Entry = z.output<typeof entry>;

interface Known extends Entry {
  readonly id: string;
  /** As it is kept. */
  readonly text: string;
}

/**
 * The list of instances that should be running, kept in the store. Each instance signs in when it starts, and signs out
 * when it has drained. An instance that is signed in but no longer announces itself is lost. Any other instance may
 * notice that, also one that started later, or after Redis was wiped. An instance that comes back under its id signs in
 * again, and is no longer lost.
 *
 * ```
 *   (none) ──start──► running ──away for graceMs──► lost ──dismissed, or a day later──► (none)
 *     ▲                 │  ▲                         │
 *     └───left in order─┘  └────────came back────────┘
 * ```
 */
export class InstanceRegister {
  readonly #options: InstanceRegisterOptions;
  readonly #startedAt: number;
  readonly #stopping = new AbortController();
  readonly #absentSince = new Map<string, number>();
  /** The owners as last read. When a loss is noticed, the lost instance's packages may have new owners already. */
  #owners: readonly OwnerRecord[] = [];
  #readings = 0;
  #lost: readonly LostInstance[] = [];
  #silent: readonly string[] = [];
  #running: Promise<void> = Promise.resolve();

  constructor(options: InstanceRegisterOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  /** Those that are lost, as of the last reading. */
  get lost(): readonly LostInstance[] {
    return this.#lost;
  }

  /** Those that do not announce themselves any more, and are not lost yet, as of the last reading. */
  get silent(): readonly string[] {
    return this.#silent;
  }

  /** Signs in, and looks after the register until it leaves. */
  start(): void {
    this.#running = this.#run();
  }

  /** Signs out: this instance has given everything away. Never throws. */
  async leave(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    const { instance, log } = this.#options;
    try {
      for (let tries = 1; tries <= leaveTriesMax; tries++) {
        const own = (await this.#read()).find(({ id }) => id === instance);
        // Another instance may take it for lost between the two.
        if (own === undefined || (await this.#swap(instance, own.text, undefined))) return;
      }
      log.warn({}, 'this instance could not sign out: others changed its entry meanwhile');
    } catch (err) {
      log.warn({ err }, 'this instance could not sign out of the store: it will be shown as lost');
    }
  }

  /** Shows a lost instance no more. False when there is none with this id. @throws StoreUnavailableError */
  async dismiss(id: string): Promise<boolean> {
    const found = (await this.#read()).find((each) => each.id === id && each.lost !== undefined);
    if (found === undefined || !(await this.#swap(id, found.text, undefined))) return false;
    this.#lost = this.#lost.filter((each) => each.id !== id);
    return true;
  }

  async #run(): Promise<void> {
    const { clock, log, everyMs = 1_000 } = this.#options;
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#look();
      } catch (err) {
        log.debug({ err }, 'the register of instances could not be looked after');
      }
      await clock.sleep(everyMs, this.#stopping.signal);
    }
  }

  async #look(): Promise<void> {
    const { store, instance, clock, keptMs = dayMs } = this.#options;
    const known = await this.#read();
    const own = known.find(({ id }) => id === instance);
    if (own?.startedAt !== this.#startedAt || own.lost !== undefined) await this.#signIn(own);
    const absent = this.#absent(known);
    for (const each of absent) await this.#lose(each);
    if (absent.length > 0 || this.#readings++ % ownersEvery === 0) this.#owners = await store.ownerRecords();
    const shown: LostInstance[] = [];
    for (const each of absent.length === 0 ? known : await this.#read()) {
      if (each.lost === undefined || each.id === instance) continue;
      if (clock.now() - each.lost.at > keptMs) await this.#swap(each.id, each.text, undefined);
      else shown.push(shownAs(each.id, each.lost, this.#owners));
    }
    this.#lost = shown;
    const isLost = new Set(shown.map(({ id }) => id));
    this.#silent = known.filter(({ id }) => this.#absentSince.has(id) && !isLost.has(id)).map(({ id }) => id);
  }

  async #signIn(own: Known | undefined): Promise<void> {
    const { instance, log } = this.#options;
    const text = JSON.stringify({ startedAt: this.#startedAt } satisfies Entry);
    if ((await this.#swap(instance, own?.text, text)) && own?.lost !== undefined) {
      log.info({}, 'this instance was taken for lost, and is back');
    }
  }

  /** Those that run as far as the register knows, and have not announced themselves for long enough. */
  #absent(known: readonly Known[]): Known[] {
    const { peers, clock, instance, graceMs = 3_000 } = this.#options;
    // While Redis does not answer nobody can be seen, and nobody is taken for lost.
    if (!peers.available) this.#absentSince.clear();
    const now = clock.now();
    const members = new Set(peers.members());
    for (const id of this.#absentSince.keys()) if (members.has(id)) this.#absentSince.delete(id);
    if (!peers.available) return [];
    return known.filter(({ id, lost }) => {
      if (id === instance || lost !== undefined || members.has(id)) return false;
      const since = this.#absentSince.get(id) ?? now;
      this.#absentSince.set(id, since);
      return now - since >= graceMs;
    });
  }

  async #lose({ id, startedAt, text }: Known): Promise<void> {
    const { store, clock, instance, log } = this.#options;
    const at = this.#absentSince.get(id) ?? clock.now();
    const owned = [...this.#owners, ...(await store.ownerRecords())].filter((each) => each.instance === id);
    const ids = [...new Set(owned.map(({ packageId }) => packageId))].sort((one, other) => one - other);
    const lost = { at, by: instance, packages: ids.length, ids: ids.slice(0, idsMax) };
    // The first instance that notices it writes it down; the others read the entry.
    if (!(await this.#swap(id, text, JSON.stringify({ startedAt, lost } satisfies Entry)))) return;
    this.#absentSince.delete(id);
    log.error(
      { lost: id, packages: ids.length, firstPackages: ids.slice(0, 10) },
      'an instance is lost: it has not announced itself any more, and did not leave in order',
    );
  }

  async #read(): Promise<Known[]> {
    const found = await this.#options.store.settingsNamed(prefix);
    return [...found].flatMap(([name, text]) => {
      const read = parsed(text);
      return read === undefined ? [] : [{ id: name.slice(prefix.length), text, ...read }];
    });
  }

  #swap(id: string, before: string | undefined, after: string | undefined): Promise<boolean> {
    return this.#options.store.swapSetting(prefix + id, before, after);
  }
}

/** Undefined for what this release does not understand: it leaves it alone. */
function parsed(text: string): Entry | undefined {
  try {
    const read = entry.safeParse(JSON.parse(text));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}

/** Who owns its packages now: the ids tell, as far as they are remembered. */
function shownAs(id: string, lost: NonNullable<Entry['lost']>, owners: readonly OwnerRecord[]): LostInstance {
  const ownerOf = new Map(owners.map(({ packageId, instance }) => [packageId, instance]));
  const takenOver = new Map<string, number>();
  let unowned = 0;
  for (const packageId of lost.ids) {
    const owner = ownerOf.get(packageId);
    if (owner === id) unowned++;
    else if (owner !== undefined) takenOver.set(owner, (takenOver.get(owner) ?? 0) + 1);
  }
  const { at, by, packages, ids } = lost;
  const takers = [...takenOver].map(([instance, count]) => ({ instance, packages: count }));
  return { id, at, noticedBy: by, packages, firstPackages: ids.slice(0, 10), takenOver: takers, unowned };
}
