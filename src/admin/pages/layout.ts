import { alertBox, icon } from '../../http/pages/elements.ts';
import { type DocumentParts, htmlDocument, navLink, type RenderContext } from '../../http/pages/layout.ts';
import { type Html, markup } from '../../http/pages/markup.ts';

export type AdminSection = 'overview' | 'orders' | 'log' | 'export' | 'erase';

/** What every admin page is rendered with. */
export interface AdminSetting extends RenderContext {
  /** The name of an operator who may only read; absent otherwise. */
  readonly reader?: string;
}

export interface AdminPageParts extends Pick<DocumentParts, 'title' | 'main' | 'refreshS'> {
  readonly current?: AdminSection;
  /** The page has live fragments. */
  readonly isLive?: boolean;
  /** The packages that the page shows, besides those of the overview. */
  readonly livePackages?: readonly number[];
  /** Nobody is signed in, so the page has no navigation. */
  readonly isOutside?: boolean;
  /** A sentence about the last action that was done. */
  readonly notice?: string | undefined;
  /** A sentence about the reason why an action was not done. */
  readonly alert?: string | undefined;
}

/**
 * A page for operators. All times are UTC. The page of an operator who may only read hides everything that is marked with
 * `data-changes`: it would change something. It is hidden by the stylesheet, because a live fragment is the same for all
 * operators. The server refuses the change in any case.
 */
export function adminPage(setting: AdminSetting, parts: AdminPageParts): Html {
  const { reader } = setting;
  const { title, main, refreshS, current, isLive = false, isOutside = false, notice, alert } = parts;
  const { livePackages: ids = [] } = parts;
  const socket = `/live?topic=admin${ids.length === 0 ? '' : `:${ids.join('.')}`}`;
  const live = { socket, poll: '/admin/fragments', script: 'admin.js' } as const;
  return htmlDocument(setting, {
    title: `${title} · Operations`,
    styles: ['admin.css'],
    timeZone: 'UTC',
    ...(isLive ? { live } : {}),
    ...(refreshS === undefined ? {} : { refreshS }),
    header: markup`
      <header class="top admin-top">
        <div class="top-inner">
          <a class="brand" href="/admin">${icon('ticket')}<span>Operations</span></a>
          ${isOutside ? '' : navigation(current, reader === undefined)}
        </div>
      </header>`,
    main: markup`
      <div class="${reader === undefined ? 'admin' : 'admin read-only'}">
        ${reader === undefined ? '' : readOnlyNote(reader)}
        ${notice === undefined ? '' : noticeBox(notice)}
        ${alert === undefined ? '' : alertBox(alert, { focus: true })}
        ${main}
      </div>`,
  });
}

/** Operators who may only read get no link to a page that has nothing but a change. */
function navigation(current: AdminSection | undefined, mayChange: boolean): Html {
  return markup`
    <nav aria-label="Operations">
      ${navLink('/admin', 'Overview', current === 'overview')}
      ${navLink('/admin/orders', 'Orders', current === 'orders')}
      ${navLink('/admin/log', 'Log', current === 'log')}
      ${navLink('/admin/export', 'Export', current === 'export')}
      ${mayChange ? navLink('/admin/erase', 'Erase', current === 'erase') : ''}
      <form method="post" action="/admin/log-out"><button class="top-link" type="submit">Log out</button></form>
    </nav>`;
}

function readOnlyNote(name: string): Html {
  return markup`
    <p class="read-only-note">You are logged in as <b>${name}</b>, who may only read. What changes something is not shown.</p>`;
}

/** The notice takes the focus when the page opens, so that a screen reader reads it. */
function noticeBox(words: string): Html {
  return markup`
    <div class="notice" role="status" id="notice" tabindex="-1" autofocus>${icon('check')}<p>${words}</p></div>`;
}

/** The heading of a page, with the content of `beside` on the same line. */
export function heading(title: Html | string, beside: Html | string = ''): Html {
  return markup`<div class="heading"><h1>${title}</h1>${beside}</div>`;
}
