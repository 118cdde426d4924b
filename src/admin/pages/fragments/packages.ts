import { type Html, markup } from '../../../http/pages/markup.ts';
import { englishSearch } from '../../../http/pages/texts/en.ts';
import type { PackageStatus } from '../../package-service.ts';
import { formatCount, formatNight, formatPrice, msWords, rateWords, shortMomentWords } from '../format.ts';
import { sparkline } from './sparkline.ts';
import { type Column, cell, dash, headCell, numberCell, table } from './table.ts';

export const packagesElementId = 'admin-packages';

/** The search of the list of packages. */
export const packageSearch = { path: '/admin/packages', texts: englishSearch('package', 'packages') };

export function packageElementId(id: number): string {
  return `admin-package-${id}`;
}

const columns: readonly Column[] = [
  { name: 'package', label: 'Package' },
  { name: 'state', label: 'Sale (UTC)' },
  { name: 'units', label: 'Quota', isNumeric: true },
  { name: 'units', label: 'Left', isNumeric: true },
  { name: 'units', label: 'Held', isNumeric: true },
  { name: 'confirmed', label: 'Confirmed', isNumeric: true },
  { name: 'units', label: 'Waiting', isNumeric: true },
  { name: 'spark', label: 'Purchases / s' },
  { name: 'owner', label: 'Owner' },
  { name: 'batch', label: 'Commit' },
  { name: 'action', label: 'Actions', isUnlabelled: true },
];

export interface PackageView {
  /** ISO 4217 code. */
  readonly currency: string;
  /** The server's time, as Unix time in ms. */
  readonly now: number;
}

/** @param empty the text of a table without rows. */
export function packagesTable(
  rows: readonly Html[],
  id?: string,
  empty = 'No packages yet. Create one to start selling.',
): Html {
  return table({
    ...(id === undefined ? {} : { id }),
    caption: 'Packages with their places, activity and owner',
    columns,
    rows,
    empty,
  });
}

/** The row of a package, which is also its live fragment. */
export function packageRow(status: PackageStatus, { currency, now }: PackageView): Html {
  const { package: travelPackage, inventory } = status;
  const { id, flight, stay, price, quota } = travelPackage;
  return markup`
    <tr role="row" id="${packageElementId(id)}" class="${isLarge(status) ? 'package package-large' : 'package'}">
      ${headCell(markup`
        <span class="number">${id}</span> <a class="row-link" href="/admin/packages/${id}"><bdi>${flight}</bdi></a>
        <span class="under">${formatNight(stay)} · ${formatPrice(price, currency)}</span>`)}
      ${cell('Sale (UTC)', saleState(status, now), 'wide')}
      ${numberCell('Quota', formatCount(quota))}
      ${numberCell('Left', formatCount(inventory.remaining))}
      ${numberCell('Held', formatCount(inventory.held))}
      ${numberCell('Confirmed', formatCount(inventory.confirmed))}
      ${numberCell('Waiting', formatCount(inventory.waiting), inventory.waiting > 0 ? 'strong' : '')}
      ${cell('Purchases / s', purchases(status), 'wide')}
      ${cell('Owner', owner(status), 'wide')}
      ${cell('Commit', commit(status), isIdle(status) ? 'wide bare' : 'wide')}
      <td role="cell" class="row-actions">${saleAction(status)}</td>
    </tr>`;
}

/** Whether the five numbers of a row are too wide to stand side by side on a phone. */
function isLarge({ package: { quota }, inventory: { waiting } }: PackageStatus): boolean {
  return Math.max(quota, waiting) >= 100_000;
}

/** The state of the sale. The text alone says everything, for readers who do not see the colour. */
function saleState({ package: travelPackage, obstacle }: PackageStatus, now: number): Html {
  const { opensAt, closesAt, listed, archived } = travelPackage;
  const window =
    obstacle === 'not_open' && opensAt !== undefined
      ? `opens ${shortMomentWords(opensAt, now)}`
      : closesAt !== undefined
        ? `${obstacle === 'sale_closed' ? 'since' : 'until'} ${shortMomentWords(closesAt, now)}`
        : 'open-ended';
  const [tone, words] = archived === true ? saleWords.archived : saleWords[obstacle ?? 'on_sale'];
  const listing = listed === false ? ' · not listed' : '';
  return markup`<span class="state state-${tone}">${words}</span><span class="under">${window}${listing}</span>`;
}

export const saleWords = {
  on_sale: ['good', 'On sale'],
  paused: ['wait', 'Paused'],
  queue_full: ['wait', 'Queue full'],
  sold_out: ['rest', 'Sold out'],
  not_open: ['rest', 'Not open'],
  sale_closed: ['rest', 'Closed'],
  archived: ['rest', 'Archived'],
} as const satisfies Record<string, readonly [tone: string, words: string]>;

function purchases({ activity }: PackageStatus): Html {
  const { purchasesPerS = [], recent } = activity ?? {};
  return markup`
    <span class="spark-cell">${sparkline(purchasesPerS)}
      <b class="spark-figure">${rateWords(recent?.purchasesPerS ?? 0)}</b></span>`;
}

function owner({ owner: owned }: PackageStatus): Html {
  if (owned === undefined) return markup`<span>None yet</span><span class="under">until somebody buys</span>`;
  const { instance, epoch, state } = owned;
  const tone = state === 'gone' || state === 'silent' ? 'state state-bad' : '';
  return markup`
    <span class="owner-name">${instance}</span>
    <span class="under">epoch ${formatCount(epoch)} · <span class="${tone}">${state}</span></span>`;
}

/** Whether there were no commits in the last seconds, and the mailbox is empty. */
function isIdle({ activity }: PackageStatus): boolean {
  return activity === undefined || (activity.recent.batchSize === 0 && activity.mailbox === 0);
}

function commit(status: PackageStatus): Html {
  const { activity } = status;
  if (activity === undefined || isIdle(status)) return dash();
  const { batchSize, commitMs } = activity.recent;
  return markup`
    <span>${rateWords(batchSize)} / batch</span>
    <span class="under">${msWords(commitMs)} · mailbox ${formatCount(activity.mailbox)}</span>`;
}

/** The button that pauses or resumes the sale. All other actions are on the page of the package. */
function saleAction({ package: { id, paused, archived } }: PackageStatus): Html | string {
  if (archived === true) return '';
  if (paused !== true) {
    return markup`<a class="small-button" data-changes href="/admin/packages/${id}/pause">Pause<span class="unseen"> package ${id}</span></a>`;
  }
  return markup`
    <form method="post" action="/admin/packages/${id}/resume" data-changes>
      <button class="small-button small-primary" type="submit">Resume<span class="unseen"> package ${id}</span></button>
    </form>`;
}
