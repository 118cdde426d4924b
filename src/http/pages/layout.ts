import { type DocumentParts, htmlDocument, type LiveSource, type RenderContext } from './document.ts';
import { formatTime } from './format.ts';
import { icon } from './icons.ts';
import { type Html, markup } from './markup.ts';

export type { LiveSource, RenderContext };

export interface PageParts extends Pick<DocumentParts, 'title' | 'main' | 'live' | 'refreshS'> {
  readonly current?: 'order' | 'query';
}

/** A whole page for customers. */
export function page(setting: RenderContext, { current, ...parts }: PageParts): Html {
  return htmlDocument(setting, {
    ...parts,
    scripts: ['purchase-store.js', 'purchase-dialog.js', 'purchase.js'],
    styles: ['purchase.css'],
    header: markup`
      <header class="top">
        <div class="top-inner">
          <a class="brand" href="/order">${icon('ticket')}<span>Ticket Booking</span></a>
          <nav aria-label="Main">
            ${navLink('/order', 'Order', current === 'order')}
            ${navLink('/query', 'My orders', current === 'query')}
          </nav>
        </div>
      </header>`,
  });
}

/** A link of the head of the page. */
export function navLink(href: string, label: string, isCurrent: boolean): Html {
  return isCurrent
    ? markup`<a class="top-link" href="${href}" aria-current="page">${label}</a>`
    : markup`<a class="top-link" href="${href}">${label}</a>`;
}

/** As of when, and whether the page is live. What changes its width stands last, so that nothing moves. */
export function liveChip(now: number): Html {
  return markup`
    <p class="live" id="live-chip" data-state="still">
      <span class="live-dot" aria-hidden="true"></span>
      <span class="live-time">As of <time class="clock" datetime="${new Date(now).toISOString()}">${formatTime(now)}</time></span>
      <b class="live-label"></b>
    </p>`;
}
