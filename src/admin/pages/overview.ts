import { shownMax } from '../../http/inputs.ts';
import type { OperatorEvent } from '../../storage/operator-log.ts';
import type { DeadLetter } from '../../storage/outbox.ts';
import { StoreUnavailableError, type UnreadableError } from '../../storage/store.ts';
import type { AdminService } from '../admin-service.ts';
import type { InstanceStatus } from '../instance-service.ts';
import type { AdminOrder } from '../order-service.ts';
import type { PackageStatus, PackagesSummary } from '../package-service.ts';

/** The data of the overview page, read at one moment. */
export interface Overview {
  /** When the data was read, as Unix time in ms. */
  readonly now: number;
  /** The first page of the packages that are not archived. */
  readonly packages: readonly PackageStatus[];
  /** How many packages are not archived. */
  readonly packagesTotal: number;
  readonly summary: PackagesSummary;
  readonly instances: readonly InstanceStatus[];
  /** The packages and orders that this instance cannot read. */
  readonly unreadable: readonly UnreadableError[];
  /** Orders that are stuck or slow. */
  readonly stuckOrSlow: readonly AdminOrder[];
  /** The newest mails and webhooks that were given up. */
  readonly deadLetters: readonly DeadLetter[];
  /** The newest entries of the change log, newest first. */
  readonly changes: readonly OperatorEvent[];
  /** Set if the store did not answer: when the shown data was read, as Unix time in ms; 0 if it never was. */
  readonly staleSince?: number;
}

export interface OverviewDeps {
  readonly service: Pick<AdminService, 'packages' | 'instances' | 'orders' | 'deadLetters' | 'changes'>;
  readonly clock: { now(): number };
}

const changesShown = 5;
const nothing = {
  now: 0,
  packages: [],
  packagesTotal: 0,
  summary: {
    totals: { quota: 0, remaining: 0, held: 0, confirmed: 0, cancelling: 0, waiting: 0 },
    archived: 0,
    busy: [],
  },
  instances: [],
  unreadable: [],
  stuckOrSlow: [],
  deadLetters: [],
  changes: [],
} satisfies Overview;

/**
 * Reads the overview for the page, for polling and for the socket. While the store does not answer, the last data that
 * was read is shown, because operators need the page most at that time.
 */
export class OverviewReader {
  readonly #deps: OverviewDeps;
  #before: Overview = nothing;

  constructor(deps: OverviewDeps) {
    this.#deps = deps;
  }

  /** The packages with these ids that exist. @throws StoreUnavailableError */
  readPackages(ids: readonly number[]): Promise<readonly PackageStatus[]> {
    return this.#deps.service.packages.some(ids);
  }

  async read(): Promise<Overview> {
    const { service, clock } = this.#deps;
    const before = this.#before;
    let isStale = false;
    const orBefore = async <Value, Known>(reading: Promise<Value>, known: Known): Promise<Value | Known> => {
      try {
        return await reading;
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) throw error;
        isStale = true;
        return known;
      }
    };
    const [page, summary, instances, stuckOrSlow, deadLetters, changes] = await Promise.all([
      orBefore(service.packages.list({ group: 'current', limit: shownMax }), {
        items: before.packages,
        total: before.packagesTotal,
      }),
      orBefore(service.packages.summary(), before.summary),
      orBefore(service.instances.list(), before.instances),
      orBefore(
        service.orders.list({ stuck: true }).then(({ items }) => items),
        before.stuckOrSlow,
      ),
      orBefore(service.deadLetters.recent(), before.deadLetters),
      orBefore(
        service.changes.list(undefined, changesShown).then(({ items }) => items),
        before.changes,
      ),
    ]);
    // What the reads above could not read is named too.
    const unreadable = await orBefore(service.packages.unreadable(), before.unreadable);
    const overview = {
      now: clock.now(),
      ...{ packages: page.items, packagesTotal: page.total, summary },
      ...{ instances, unreadable },
      ...{ stuckOrSlow, deadLetters, changes },
    };
    if (isStale) return { ...overview, staleSince: before.now };
    this.#before = overview;
    return overview;
  }
}
