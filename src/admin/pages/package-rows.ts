import type { Html } from '../../http/pages/markup.ts';
import { TimeSlice, type TimeSliceOptions } from '../../realtime/time-slice.ts';
import type { PackageStatus } from '../package-service.ts';
import { packageRow } from './fragments/packages.ts';

interface Drawn {
  /** Of all that the row shows. */
  readonly print: string;
  readonly row: Html;
}

/**
 * The rows of packages, drawn when they look different and kept for the pages, polling and the socket alike. There
 * may be a thousand of them, beside a sale: whatever else waits for the event loop gets its turn in between.
 */
export class PackageRows {
  readonly #currency: string;
  readonly #turns: TimeSlice;
  readonly #drawn = new Map<number, Drawn>();

  constructor(currency: string, turns: TimeSliceOptions) {
    this.#currency = currency;
    this.#turns = new TimeSlice(turns);
  }

  /** In the order of the packages. */
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
    const row = packageRow(status, { currency: this.#currency, now });
    this.#drawn.set(id, { print, row });
    return row;
  }
}

/** The same while the row looks the same: when its activity was measured, and what is not shown of it, counts for nothing. */
function printOf(status: PackageStatus, now: number): string {
  const { activity, ...shown } = status;
  const { purchasesPerS, recent, mailbox } = activity ?? {};
  return JSON.stringify([shown, purchasesPerS, recent, mailbox, new Date(now).getUTCFullYear()]);
}
