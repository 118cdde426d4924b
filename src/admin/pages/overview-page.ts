import { formatCount } from '../../http/pages/format.ts';
import { liveChip, type RenderContext } from '../../http/pages/layout.ts';
import { type Html, markup } from '../../http/pages/markup.ts';
import type { Fragment } from '../../realtime/frame.ts';
import { logElementId, logTable } from './fragments/log.ts';
import { concernsElementId, concernsTable } from './fragments/orders.ts';
import { packageElementId, packagesElementId, packagesTable } from './fragments/packages.ts';
import { problemsElementId, problemsFragment } from './fragments/problems.ts';
import { totalsElementId, totalsFragment } from './fragments/totals.ts';
import { heading } from './heading.ts';
import { instancesElementId, instancesTable } from './instances.ts';
import type { AdminPageParts } from './layout.ts';
import type { Overview } from './overview.ts';
import { problemsOf } from './problems.ts';

/** How long a browser without JavaScript waits before it asks again. */
const refreshS = 5;

/** Problems first, then what is sold, what does not move, who serves, and what operators did. */
export function overviewPage(
  { now }: RenderContext,
  overview: Overview,
  rows: readonly Html[],
): AdminPageParts {
  const { archived } = overview;
  const newPackage = markup`
    <span class="block-actions">
      ${archived === 0 ? '' : markup`<a class="small-button" href="/admin/packages/archived">Archived (${formatCount(archived)})</a>`}
      <a class="small-button small-primary" href="/admin/packages/new">New package</a>
    </span>`;
  return {
    title: 'Overview',
    current: 'overview',
    isLive: true,
    refreshS,
    main: markup`
      ${heading('Overview', liveChip(now))}
      ${problemsFragment(problemsOf(overview))}
      ${totalsFragment(overview)}
      ${section('packages', 'Packages', packagesTable(rows, packagesElementId), newPackage)}
      ${section('orders', 'Stuck and slow orders', concernsTable(overview.concerns, overview.now), more('/admin/orders', 'All orders'))}
      ${section('instances', 'Instances', instancesTable(overview.instances, overview.now))}
      ${section('log', 'Log', logTable(overview.changes, logElementId), more('/admin/log', 'Whole log'))}`,
  };
}

export function section(id: string, title: string, content: Html, beside: Html | string = ''): Html {
  return markup`
    <section class="block" id="${id}" aria-labelledby="${id}-title">
      <div class="block-head"><h2 id="${id}-title">${title}</h2>${beside}</div>
      ${content}
    </section>`;
}

function more(href: string, label: string): Html {
  return markup`<a class="small-button" href="${href}">${label}</a>`;
}

/** The overview's live parts, but for the packages. */
export function overviewFragments(overview: Overview): Fragment[] {
  const { instances, concerns, changes, now } = overview;
  return [
    fragment(problemsElementId, problemsFragment(problemsOf(overview))),
    fragment(totalsElementId, totalsFragment(overview)),
    fragment(concernsElementId, concernsTable(concerns, now)),
    fragment(instancesElementId, instancesTable(instances, now)),
    fragment(logElementId, logTable(changes, logElementId)),
  ];
}

/** All packages in one piece: for when there is a new one, and for where rows cannot come alone. */
export function packagesFragment(rows: readonly Html[]): Fragment {
  return fragment(packagesElementId, packagesTable(rows, packagesElementId));
}

/** Packages one by one: those that nobody buys are not sent again. */
export function packageFragments({ packages }: Overview, rows: readonly Html[]): Fragment[] {
  return packages.map((each, index) => fragment(packageElementId(each.package.id), rows[index] as Html));
}

function fragment(rootId: string, html: Html): Fragment {
  return { rootId, html: String(html) };
}
