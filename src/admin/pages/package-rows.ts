import type { Html } from '../../http/pages/markup.ts';
import { TimeSlice, type TimeSliceOptions } from '../../realtime/schedule.ts';
import type { PackageStatus } from '../package-service.ts';
import { packageRow } from './fragments/packages.ts';

interface Drawn {
  /** Everything that the row shows, as one text to compare. */
  readonly print: string;
  readonly row: Html;
}

/** How many rows are cached. */
const drawnMax = 1_000;

/**
 * Renders the rows of packages, and caches each row until it would look different. Pages, polling and the socket share
 * the cached rows. Rendering yields to the event loop from time to time and does not
 * delay a sale.
 */
export class PackageRows {
  readonly #currency: string;
  readonly #turns: TimeSlice;
  readonly #drawn = new Map<number, Drawn>();

  constructor(currency: string, turns: TimeSliceOptions) {
    this.#currency = currency;
    this.#turns = new TimeSlice(turns);
  }

  /** Returns the rows in the order of the packages. */
  async draw(packages: readonly PackageStatus[], now: number): Promise<Html[]> {
    const rows: Html[] = [];
    for (const status of packages) {
      rows.push(this.#row(status, now));
      if (this.#turns.isOver()) await this.#turns.next();
    }
    return rows;
  }

  #row(status: PackageStatus, now: number): Html {
    const { id } = status.package;
    const print = printOf(status, now);
    const known = this.#drawn.get(id);
    if (known?.print === print) return known.row;
    if (this.#drawn.size >= drawnMax) this.#drawn.clear();
    const row = packageRow(status, { currency: this.#currency, now });
    this.#drawn.set(id, { print, row });
    return row;
  }
}

/** Stays the same while the row looks the same: members that are not shown are left out. */
function printOf(status: PackageStatus, now: number): string {
  const { activity, ...shown } = status;
  const { purchasesPerS, recent, mailbox } = activity ?? {};
  return JSON.stringify([shown, purchasesPerS, recent, mailbox, new Date(now).getUTCFullYear()]);
}
