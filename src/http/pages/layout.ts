import { icon } from './elements.ts';
import { formatTime } from './format.ts';
import { type Html, markup } from './markup.ts';

/** What every page is drawn with. */
export interface RenderContext {
  /** The address of a file of `public/` or of htmx. */
  readonly assetUrl: (name: string) => string;
  /** The server's clock, ms since the epoch. */
  readonly now: number;
  /** ISO 4217 code. */
  readonly currency: string;
}

export interface LiveSource {
  /** The socket's address. */
  readonly socket: string;
  /** The same fragments over plain HTTP, for where no socket can be had. */
  readonly poll: string;
  /** What the page does beyond its live fragments. */
  readonly script: 'order.js' | 'result.js' | 'admin.js';
}

export interface DocumentParts {
  readonly title: string;
  /** What stands above the page's content. */
  readonly header: Html;
  readonly main: Html;
  /** Where the page's live parts come from; absent on a page that has none. */
  readonly live?: LiveSource;
  /** Browsers without JavaScript ask again after so many seconds. */
  readonly refreshS?: number;
  /** On top of the one script that every page has. */
  readonly scripts?: readonly string[];
  /** On top of the one stylesheet that every page has. */
  readonly styles?: readonly string[];
  /** Times stay in this zone; absent: with JavaScript they turn into the reader's. */
  readonly timeZone?: 'UTC';
}

/** No inline script or style works under our CSP, so htmx is configured here and adds no styles of its own. */
const htmxConfig = JSON.stringify({
  extensions: 'ws',
  history: false,
  includeIndicatorCSS: false,
  morphSkip: '.keep',
  ws: { pauseOnBackground: false, reconnectDelay: 300, reconnectMaxDelay: 3000 },
});

/** What all pages have in common: head, scripts, and where screen readers are told of changes. */
export function htmlDocument({ assetUrl, now }: RenderContext, parts: DocumentParts): Html {
  const { title, header, main, live, refreshS, scripts = [], styles = [], timeZone } = parts;
  return markup`<!doctype html>
    <html lang="en" data-now="${now}"${timeZone === undefined ? '' : markup` data-time-zone="${timeZone}"`}>
    <head>
      <meta charset="utf-8">
      <title>${title}</title>
      <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
      <meta name="color-scheme" content="light dark">
      <meta name="theme-color" content="#f5f6f8" media="(prefers-color-scheme: light)">
      <meta name="theme-color" content="#0d1014" media="(prefers-color-scheme: dark)">
      <meta name="robots" content="noindex">
      ${live === undefined ? '' : markup`<meta name="htmx-config" content="${htmxConfig}">`}
      ${refreshS === undefined ? '' : markup`<noscript><meta http-equiv="refresh" content="${refreshS}"></noscript>`}
      <link rel="icon" href="${assetUrl('favicon.svg')}" type="image/svg+xml">
      ${['app.css', ...styles].map((name) => markup`<link rel="stylesheet" href="${assetUrl(name)}">`)}
      ${['page.js', ...scripts].map((name) => markup`<script defer src="${assetUrl(name)}"></script>`)}
      ${live === undefined ? '' : liveScripts(assetUrl, live.script)}
    </head>
    <body>
      <a class="skip" href="#main">Skip to the content</a>
      ${header}
      <main id="main">${main}</main>
      <p id="announce-politely" class="unseen" role="status"></p>
      <p id="announce-now" class="unseen" role="alert"></p>
      ${live === undefined ? '' : markup`<div id="live" hidden hx-ws:connect="${live.socket}" data-poll="${live.poll}"></div>`}
    </body>
    </html>`;
}

function liveScripts(assetUrl: RenderContext['assetUrl'], script: LiveSource['script']): Html[] {
  return ['htmx.min.js', 'hx-ws.min.js', 'live.js', script].map(
    (name) => markup`<script defer src="${assetUrl(name)}"></script>`,
  );
}

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
