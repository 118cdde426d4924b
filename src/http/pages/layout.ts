import { icon } from './icons.ts';
import { type Html, markup } from './markup.ts';
import { clockWords } from './words.ts';

/** What every page is drawn with. */
export interface PageSetting {
  /** The address of a file of `public/` or of htmx. */
  readonly assetUrl: (name: string) => string;
  /** The server's clock, ms since the epoch. */
  readonly now: number;
  /** ISO 4217 code. */
  readonly currency: string;
}

export interface PageParts {
  readonly title: string;
  readonly main: Html;
  /** Where the page's live parts come from; absent on a page that has none. */
  readonly live?: LiveSource;
  /** Browsers without JavaScript ask again after so many seconds. */
  readonly refreshS?: number;
  readonly current?: 'order' | 'query';
}

export interface LiveSource {
  /** The socket's address. */
  readonly socket: string;
  /** The same fragments over plain HTTP, for where no socket can be had. */
  readonly poll: string;
  /** What the page does beyond its live fragments. */
  readonly script: 'order.js' | 'result.js';
}

/** No inline script or style works under our CSP, so htmx is configured here and adds no styles of its own. */
const htmxConfig = JSON.stringify({
  extensions: 'ws',
  history: false,
  includeIndicatorCSS: false,
  morphSkip: '.keep',
  ws: { pauseOnBackground: false, reconnectDelay: 300, reconnectMaxDelay: 3000 },
});

/** A whole page. */
export function page({ assetUrl, now }: PageSetting, parts: PageParts): Html {
  const { title, main, live, refreshS, current } = parts;
  return markup`<!doctype html>
    <html lang="en" data-now="${now}">
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
      <link rel="stylesheet" href="${assetUrl('app.css')}">
      <script defer src="${assetUrl('page.js')}"></script>
      ${live === undefined ? '' : liveScripts(assetUrl, live.script)}
    </head>
    <body>
      <a class="skip" href="#main">Skip to the content</a>
      <header class="top">
        <div class="top-inner">
          <a class="brand" href="/order">${icon('ticket')}<span>Ticket Booking</span></a>
          <nav aria-label="Main">
            ${link('/order', 'Order', current === 'order')}
            ${link('/query', 'My orders', current === 'query')}
          </nav>
        </div>
      </header>
      <main id="main">${main}</main>
      <p id="announce-politely" class="unseen" role="status"></p>
      <p id="announce-now" class="unseen" role="alert"></p>
      ${live === undefined ? '' : markup`<div id="live" hidden hx-ws:connect="${live.socket}" data-poll="${live.poll}"></div>`}
    </body>
    </html>`;
}

function link(href: string, label: string, isCurrent: boolean): Html {
  return isCurrent
    ? markup`<a class="top-link" href="${href}" aria-current="page">${label}</a>`
    : markup`<a class="top-link" href="${href}">${label}</a>`;
}

function liveScripts(assetUrl: PageSetting['assetUrl'], script: LiveSource['script']): Html[] {
  return ['htmx.min.js', 'hx-ws.min.js', 'live.js', script].map(
    (name) => markup`<script defer src="${assetUrl(name)}"></script>`,
  );
}

/** As of when, and whether the page is live. What changes its width stands last, so that nothing moves. */
export function liveChip(now: number): Html {
  return markup`
    <p class="live" id="live-chip" data-state="still">
      <span class="live-dot" aria-hidden="true"></span>
      <span class="live-time">As of <time class="clock" datetime="${new Date(now).toISOString()}">${clockWords(now)}</time></span>
      <b class="live-label"></b>
    </p>`;
}
