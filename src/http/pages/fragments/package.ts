import { isSoldOut, type PackageSnapshot, salePhase } from '../../../domain/travel-package.ts';
import type { RenderContext } from '../layout.ts';
import { type Html, markup } from '../markup.ts';
import type { Texts } from '../texts/index.ts';

/**
 * What a customer can do with a package. `line` means joining the queue. public/order.js changes the state when a sale opens or
 * closes.
 */
export type StayState = 'free' | 'line' | 'sold_out' | 'not_open' | 'closed' | 'paused';

export function stayState({ package: travelPackage, inventory }: PackageSnapshot, now: number): StayState {
  if (travelPackage.archived) return 'closed';
  if (isSoldOut(travelPackage.quota, inventory)) return 'sold_out';
  const phase = salePhase(travelPackage, now);
  if (phase !== 'open') return phase;
  if (travelPackage.paused) return 'paused';
  return inventory.remaining > 0 && inventory.waiting === 0 ? 'free' : 'line';
}

/** Whether a trip can be ordered. `off` means not now, but perhaps later. */
export type TripOffer = 'open' | 'sold_out' | 'off';

export function offerOf(snapshot: PackageSnapshot, now: number): TripOffer {
  const state = stayState(snapshot, now);
  if (state === 'free' || state === 'line') return 'open';
  return state === 'sold_out' ? 'sold_out' : 'off';
}

/** From this quota on, the numbers may not fit in one line on a phone. */
const largeQuotaMin = 100;

/** The state while the sale is open, which order.js shows when the countdown ends. */
function openState(snapshot: PackageSnapshot): StayState {
  const { opensAt: _opensAt, closesAt: _closesAt, ...always } = snapshot.package;
  return stayState({ ...snapshot, package: always }, 0);
}

export function stayElementId(packageId: number): string {
  return `stay-${packageId}`;
}

/**
 * The live fragment of a package: price, status, bar and numbers. No element in the fragment takes the focus, and each
 * line has a fixed height, so that an update moves nothing.
 */
export function packageFragment(
  snapshot: PackageSnapshot,
  { currency, now, texts }: Pick<RenderContext, 'currency' | 'now' | 'texts'>,
): Html {
  const { id, price, quota, opensAt, closesAt } = snapshot.package;
  const { remaining: free, held, confirmed: sold } = snapshot.inventory;
  const state = stayState(snapshot, now);
  const opened = openState(snapshot);
  const elementId = stayElementId(id);
  return markup`
    <span id="${elementId}" class="stay" data-state="${state}" data-open-state="${opened}"
      data-opens-at="${opensAt ?? ''}" data-closes-at="${closesAt ?? ''}" data-now="${now}"
      data-size="${quota < largeQuotaMin ? 'small' : 'large'}">
      <span class="stay-price">${texts.formats.price(price, currency)}</span>
      <span class="stay-status" id="${elementId}-status" data-open-words="${statusText(opened, snapshot, texts)}">
        ${statusText(state, snapshot, texts)}</span>
      ${bar({ sold, held, free })}
      <span class="stay-words" id="${elementId}-words">
        <span class="key${sold === 0 ? '' : ' key-sold'}">${sold === 0 ? '' : texts.stay.sold(sold)}</span>
        ${held === 0 ? '' : markup`<span class="key key-held">${texts.stay.booking(held)}</span>`}
      </span>
    </span>`;
}

function statusText(
  state: StayState,
  { package: { opensAt = 0 }, inventory }: PackageSnapshot,
  { formats, stay }: Texts,
): string {
  switch (state) {
    case 'free':
      return stay.placesLeft(inventory.remaining);
    case 'line':
      return inventory.waiting === 0 ? stay.noneFree : stay.queue(inventory.waiting);
    case 'sold_out':
      return stay.soldOut;
    case 'not_open':
      return stay.opens(formats.dateTime(opensAt));
    case 'closed':
      return stay.closed;
    case 'paused':
      return stay.paused;
  }
}

/** The largest quota for which the bar marks single units. */
const tickedUnitsMax = 20;

/**
 * A bar of sold, held and free units. It is hidden from screen readers, because the text beside it says the same. Widths
 * are attributes, because our CSP forbids inline styles.
 */
export function bar({ sold, held, free }: Readonly<Record<'sold' | 'held' | 'free', number>>): Html {
  const quota = Math.max(1, sold + held + free);
  const percent = (units: number) => `${Math.round((units / quota) * 10_000) / 100}%`;
  return markup`
    <svg class="bar" aria-hidden="true" focusable="false">
      <rect class="bar-sold" x="0" width="${percent(sold)}" height="100%"/>
      <rect class="bar-held" x="${percent(sold)}" width="${percent(held)}" height="100%"/>
      <line class="bar-stripes" x1="${percent(sold)}" x2="${percent(sold + held)}" y1="50%" y2="50%"/>
      <rect class="bar-free" x="${percent(sold + held)}" width="${percent(free)}" height="100%"/>
      ${quota > tickedUnitsMax ? '' : ticks(quota)}
    </svg>`;
}

/** The lines between single units, as one short path, because a page may have a hundred bars. */
function ticks(quota: number): Html {
  const lines = Array.from({ length: quota - 1 }, (_, unit) => `M${unit + 1} 0V1`).join('');
  return markup`<svg viewBox="0 0 ${quota} 1" preserveAspectRatio="none"><path class="bar-tick" d="${lines}"/></svg>`;
}
