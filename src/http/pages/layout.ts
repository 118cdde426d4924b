import { type IconName, icon } from './elements.ts';
import { type Html, markup } from './markup.ts';
import type { Texts } from './texts/index.ts';
import { addressIn, defaultLanguage, type Language, languageNames, languages } from './texts/languages.ts';

/** The data that every page is rendered with. */
export interface RenderContext {
  /** Returns the URL of an asset. */
  readonly assetUrl: (name: string) => string;
  /** The server's time, as Unix time in ms. */
  readonly now: number;
  /** The ISO 4217 code of the currency. */
  readonly currency: string;
  /** The texts and formats of the page's language. */
  readonly texts: Texts;
  /** Whether orders have to be paid. Default: they need not. */
  readonly takesPayments?: boolean;
  /** Whether buyers are told by mail what happens to their orders. Default false. */
  readonly sendsMails?: boolean;
}

export interface LiveSource {
  /** The URL of the WebSocket. */
  readonly socket: string;
  /** The URL of the same fragments over HTTP, polled while there is no socket. */
  readonly poll: string;
  /** The script of this page. */
  readonly script: 'order.js' | 'result.js' | 'admin.js';
}

export interface DocumentParts {
  readonly title: string;
  /** The header above the page's content. */
  readonly header: Html;
  readonly main: Html;
  /** The footer below the content. */
  readonly footer?: Html;
  /** The source of live updates. Omitted on static pages. */
  readonly live?: LiveSource;
  /** Without JavaScript the browser reloads the page after this many seconds. */
  readonly refreshS?: number;
  /** Scripts besides page.js, which every page has in its language. */
  readonly scripts?: readonly string[];
  /** Stylesheets besides app.css, which every page has. */
  readonly styles?: readonly string[];
  /** Shows times in this zone. Default: scripts convert them to the reader's zone. */
  readonly timeZone?: 'UTC';
}

/** htmx's configuration. htmx must not add inline styles, because our CSP forbids them. */
const htmxConfig = JSON.stringify({
  extensions: 'ws',
  history: false,
  includeIndicatorCSS: false,
  morphSkip: '.keep',
  ws: { pauseOnBackground: false, reconnectDelay: 300, reconnectMaxDelay: 3000 },
});

/** The HTML document of every page: head, scripts, and the regions that announce changes to screen readers. */
export function htmlDocument({ assetUrl, now, texts }: RenderContext, parts: DocumentParts): Html {
  const { title, header, main, footer = '', live, refreshS, scripts = [], styles = [], timeZone } = parts;
  return markup`<!doctype html>
    <html lang="${texts.language}" data-now="${now}"${timeZone === undefined ? '' : markup` data-time-zone="${timeZone}"`}>
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
      ${[`page.${texts.language}.js`, ...scripts].map((name) => markup`<script defer src="${assetUrl(name)}"></script>`)}
      ${live === undefined ? '' : liveScripts(assetUrl, live.script)}
    </head>
    <body>
      <a class="skip" href="#main">${texts.layout.skip}</a>
      ${header}
      <main id="main">${main}</main>
      ${footer}
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

interface PageParts extends Pick<DocumentParts, 'title' | 'main' | 'live' | 'refreshS'> {
  readonly current?: 'order' | 'query';
  /**
   * The address of this page, to which the links to other languages lead. Default: the address in the browser without its
   * query.
   */
  readonly address?: string;
}

/** A complete page for customers. */
export function page(context: RenderContext, { current, address = '', live, ...parts }: PageParts): Html {
  const { language, layout } = context.texts;
  return htmlDocument(context, {
    ...parts,
    ...(live === undefined ? {} : { live: liveIn(language, live) }),
    scripts: ['purchase-store.js', 'purchase-request.js', 'purchase-dialog.js', 'purchase.js'],
    header: markup`
      <header class="top">
        <div class="top-inner">
          <a class="brand" href="/order">${icon('ticket')}<span>${layout.brand}</span></a>
          <nav aria-label="${layout.menu}">
            ${navLink('/order', layout.order, current === 'order')}
            ${navLink('/query', layout.orders, current === 'query')}
          </nav>
        </div>
      </header>`,
    footer: markup`
      <footer class="foot">
        <nav class="languages" aria-label="${layout.languages}">
          ${languages.filter((other) => other !== language).map((other) => languageLink(other, address))}
        </nav>
      </footer>`,
  });
}

/** The addresses of the fragments name the page's language. A page in the default language need not. */
function liveIn(language: Language, live: LiveSource): LiveSource {
  if (language === defaultLanguage) return live;
  return { ...live, socket: addressIn(language, live.socket), poll: addressIn(language, live.poll) };
}

/** A link to a page in another language, in that language. */
function languageLink(language: Language, address: string): Html {
  return markup`<a href="${addressIn(language, address)}" hreflang="${language}" lang="${language}" rel="nofollow">${languageNames[language]}</a>`;
}

interface Message extends Omit<PageParts, 'main' | 'live'> {
  readonly icon: IconName;
  readonly tone?: 'neutral' | 'waiting';
  readonly role?: 'alert' | 'status';
  readonly headline: string;
  /** The paragraphs below the headline. */
  readonly text: Html | readonly Html[];
  readonly actions: Html;
}

/** A page for customers with a message and links. */
export function messagePage(context: RenderContext, message: Message): Html {
  const { icon: name, tone = 'neutral', role, headline, text, actions, ...parts } = message;
  return page(context, {
    ...parts,
    main: markup`
      <div class="narrow">
        <section class="verdict verdict-${tone}"${role === undefined ? '' : markup` role="${role}"`}>
          <p class="verdict-icon">${icon(name)}</p>
          <h1 class="headline">${headline}</h1>
          ${text}
          <div class="actions">${actions}</div>
        </section>
      </div>`,
  });
}

/** A link in the page's header. */
export function navLink(href: string, label: string, isCurrent: boolean): Html {
  return isCurrent
    ? markup`<a class="top-link" href="${href}" aria-current="page">${label}</a>`
    : markup`<a class="top-link" href="${href}">${label}</a>`;
}

/** Shows the time of the data and whether the page is live. The part that changes its width is last, so nothing moves. */
export function liveChip(now: number, { formats, layout }: Pick<Texts, 'formats' | 'layout'>): Html {
  const time = markup`<time class="clock" datetime="${new Date(now).toISOString()}">${formats.time(now)}</time>`;
  return markup`
    <p class="live" id="live-chip" data-state="still">
      <span class="live-dot" aria-hidden="true"></span>
      <span class="live-time">${layout.asOf(time)}</span>
      <b class="live-label"></b>
    </p>`;
}
