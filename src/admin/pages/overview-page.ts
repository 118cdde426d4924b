import { icon } from '../../http/pages/elements.ts';
import { liveChip, type RenderContext } from '../../http/pages/layout.ts';
import { type Html, markup } from '../../http/pages/markup.ts';
import { en } from '../../http/pages/texts/en.ts';
import { isPaged, pageLinks, searchFieldset, searchForm } from '../../http/pages/trip-search.ts';
import type { Fragment } from '../../realtime/fanout.ts';
import type { PackageStatus } from '../package-service.ts';
import { formatCount, rateWords } from './format.ts';
import { stuckOrSlowElementId, stuckOrSlowTable } from './fragments/orders.ts';
import { packageElementId, packageSearch, packagesElementId, packagesTable } from './fragments/packages.ts';
import { instancesElementId, instancesTable } from './instances.ts';
import { type AdminPageParts, heading } from './layout.ts';
import { logElementId, logTable } from './log.ts';
import type { Overview } from './overview.ts';
import { type Problem, problemsOf } from './problems.ts';

/** A browser without JavaScript reloads the page this often. */
const refreshS = 5;

/** The overview: problems, totals, packages, unhealthy orders, instances, and the newest changes. */
export function overviewPage(
  { now }: RenderContext,
  overview: Overview,
  rows: readonly Html[],
): AdminPageParts {
  const { packagesTotal: total, packages } = overview;
  const { archived } = overview.summary;
  const first = { search: {}, index: 0, total, items: packages };
  const newPackage = markup`
    <span class="block-actions">
      ${archived === 0 ? '' : markup`<a class="small-button" href="/admin/packages/archived">Archived (${formatCount(archived)})</a>`}
      <a class="small-button small-primary" data-changes href="/admin/packages/new">New package</a>
    </span>`;
  return {
    title: 'Overview',
    current: 'overview',
    isLive: true,
    refreshS,
    main: markup`
      ${heading('Overview', liveChip(now, en))}
      ${problemsFragment(problemsOf(overview))}
      ${totalsFragment(overview)}
      ${isPaged(first) ? searchForm(packageSearch) : ''}
      ${section(
        'packages',
        'Packages',
        markup`${searchFieldset(first, packageSearch)}${packagesTable(rows, packagesElementId)}${pageLinks(first, packageSearch)}`,
        newPackage,
      )}
      ${section('orders', 'Stuck and slow orders', stuckOrSlowTable(overview.stuckOrSlow, overview.now), more('/admin/orders', 'All orders'))}
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

/** The live fragments of the overview, except the packages. */
export function overviewFragments(overview: Overview): Fragment[] {
  const { instances, stuckOrSlow, changes, now } = overview;
  return [
    fragment(problemsElementId, problemsFragment(problemsOf(overview))),
    fragment(totalsElementId, totalsFragment(overview)),
    fragment(stuckOrSlowElementId, stuckOrSlowTable(stuckOrSlow, now)),
    fragment(instancesElementId, instancesTable(instances, now)),
    fragment(logElementId, logTable(changes, logElementId)),
  ];
}

/**
 * The whole table of packages. It is sent if the set of packages changes, and to polls, where a row cannot come alone.
 */
export function packagesFragment(rows: readonly Html[]): Fragment {
  return fragment(packagesElementId, packagesTable(rows, packagesElementId));
}

/** One fragment for each package, so that unchanged packages are not sent again. */
export function packageFragments(packages: readonly PackageStatus[], rows: readonly Html[]): Fragment[] {
  return packages.map((each, index) => fragment(packageElementId(each.package.id), rows[index] as Html));
}

function fragment(rootId: string, html: Html): Fragment {
  return { rootId, text: String(html) };
}

export const totalsElementId = 'admin-totals';

/** The totals of the sale, in six tiles. */
export function totalsFragment({ summary: { totals }, instances }: Overview): Html {
  const purchasesPerS = instances.reduce(
    (sum, each) => sum + ('load' in each ? each.load.purchasesPerS : 0),
    0,
  );
  const ready = instances.filter(({ state }) => state === 'ready').length;
  return markup`
    <dl id="${totalsElementId}" class="totals">
      ${tile('Purchases', rateWords(purchasesPerS), 'per second')}
      ${tile('Waiting', formatCount(totals.waiting), 'in all queues')}
      ${tile('Held', formatCount(totals.held), 'being booked')}
      ${tile('Confirmed', formatCount(totals.confirmed), `of ${formatCount(totals.quota)}`)}
      ${tile('Instances', `${ready} / ${instances.length}`, 'ready')}
      ${suppliersTile(instances)}
    </dl>`;
}

/** Counts the instances that suppliers answer, because each instance has its own circuit breakers. */
function suppliersTile(instances: Overview['instances']): Html {
  const heard = instances.filter((instance) => 'load' in instance);
  const open = heard.filter(({ suppliersAvailable }) => suppliersAvailable).length;
  const isForAll = heard.every(({ failing }) => failing.length === 0);
  if (open === heard.length) return tile('Suppliers', 'Open', isForAll ? 'they answer' : 'for most packages');
  if (open === 0) return tile('Suppliers', 'Shut', 'for most packages');
  return tile('Suppliers', `${open} / ${heard.length}`, 'are answered');
}

function tile(label: string, value: string, note: string): Html {
  return markup`
    <div class="tile"><dt>${label}</dt><dd><b>${value}</b> <span>${note}</span></dd></div>`;
}

export const problemsElementId = 'admin-problems';

/**
 * The list of problems. A screen reader announces `data-said` only when `data-kinds` changes, because numbers in the
 * headlines may change every second.
 */
export function problemsFragment(problems: readonly Problem[]): Html {
  const said = problems.length === 0 ? 'All is well.' : problems.map(({ headline }) => headline).join('. ');
  return markup`
    <section id="${problemsElementId}" class="problems" aria-labelledby="problems-title"
      data-kinds="${problems.map(({ id }) => id).join(' ')}" data-said="${said}">
      <h2 id="problems-title" class="unseen">Problems</h2>
      ${problems.length === 0 ? allWell() : markup`<ul class="problem-list">${problems.map(problemCard)}</ul>`}
    </section>`;
}

function allWell(): Html {
  return markup`
    <p class="problem problem-none">${icon('check')}<span class="problem-words"><b>All is well</b>
      <span>Every instance answers and none is lost, every package has its owner, and no order is stuck.</span></span></p>`;
}

function problemCard({ id, level, headline, text, link }: Problem): Html {
  return markup`
    <li class="problem problem-${level}" id="problem-${id}">${icon(level === 'bad' ? 'alert' : 'clock')}
      <span class="problem-words"><b>${headline}</b> <span>${text}</span></span>
      ${link === undefined ? '' : markup`<a class="small-button" href="${link.href}">Show<span class="unseen"> ${link.what}</span></a>`}
    </li>`;
}
