import type { TravelPackage } from '../../domain/travel-package.ts';
import { liveChip, type RenderContext } from '../../http/pages/layout.ts';
import { type Html, markup } from '../../http/pages/markup.ts';
import { en } from '../../http/pages/texts/en.ts';
import {
  isPaged,
  isSearch,
  pageLinks,
  searchFieldset,
  searchForm,
  type TripSearch,
} from '../../http/pages/trip-search.ts';
import type { FieldError } from '../../http/problem.ts';
import type { AdminOrder } from '../order-service.ts';
import type { PackageStatus, StatusesPage } from '../package-service.ts';
import { field } from './field.ts';
import { ordersTable } from './fragments/orders.ts';
import { packageRow, packageSearch, packagesTable } from './fragments/packages.ts';
import type { AdminPageParts } from './layout.ts';
import { heading } from './layout.ts';
import { section } from './overview-page.ts';
import { fieldsOf, type PackageFields } from './package-form.ts';

type Errors = readonly FieldError[];

export interface PackagePageState {
  readonly status: PackageStatus;
  /** The package's newest orders. */
  readonly orders: readonly AdminOrder[];
  /** The values entered into the offer's form, if they were refused. */
  readonly entered?: PackageFields;
  /** The quota entered into its form, if it was refused. */
  readonly quota?: string;
  readonly errors?: Errors;
  readonly alert?: string;
}

/** The page of one package: live inventory, forms to change it, and its newest orders. */
export function packagePage(setting: RenderContext, state: PackagePageState): AdminPageParts {
  const { status, orders, errors = [] } = state;
  const { package: travelPackage } = status;
  const { id, flight } = travelPackage;
  return {
    title: `Package ${id}`,
    isLive: true,
    livePackages: [id],
    alert: state.alert,
    main: markup`
      ${heading(markup`<span class="number">${id}</span> <bdi>${flight}</bdi>`, liveChip(setting.now, en))}
      ${packagesTable([packageRow(status, setting)])}
      ${
        travelPackage.archived === true
          ? ''
          : markup`
            <div class="forms">
              ${quotaCard(travelPackage, state.quota ?? String(travelPackage.quota), errors)}
              ${offerCard(travelPackage, state.entered ?? fieldsOf(travelPackage), errors, setting.currency)}
            </div>`
      }
      ${endCard(status)}
      ${section(
        'orders',
        'Newest orders',
        ordersTable(orders, setting.now, {
          caption: 'Orders of this package',
          empty: 'No orders yet.',
        }),
        markup`<a class="small-button" href="/admin/orders?package=${id}">All orders</a>`,
      )}`,
  };
}

/** A card with the links to archive or delete the package. Empty for an archived package. */
function endCard({ package: { id, archived }, inventory: { nextNumber } }: PackageStatus): Html | string {
  if (archived === true) return '';
  const [words, href, label] =
    nextNumber === 1
      ? (['Nobody has ordered it: it can be deleted.', 'delete', 'Delete…'] as const)
      : ([
          'When its sale has ended, it can be archived: it leaves the lists, and its orders stay.',
          'archive',
          'Archive…',
        ] as const);
  return markup`
    <section class="card end-card" aria-label="End of the package" data-changes>
      <p>${words}</p>
      <a class="button quiet" href="/admin/packages/${id}/${href}">${label}</a>
    </section>`;
}

function quotaCard({ id }: TravelPackage, quota: string, errors: Errors): Html {
  return markup`
    <form class="card form" method="get" action="/admin/packages/${id}/quota" data-changes>
      <h2>Quota</h2>
      ${field({ name: 'quota', label: 'Places on sale in total', value: quota, type: 'number', min: 0, required: true, note: 'Not below the places held and confirmed. You see the effect before anything changes.' }, errors)}
      <button class="button quiet" type="submit">Show the effect</button>
    </form>`;
}

function offerCard(
  { id, version, listed }: TravelPackage,
  entered: PackageFields,
  errors: Errors,
  currency: string,
): Html {
  return markup`
    <form class="card form" method="post" action="/admin/packages/${id}" data-changes>
      <h2>Offer and sale times</h2>
      <input type="hidden" name="version" value="${version}" autocomplete="off">
      <div class="field-row">${offerFields(entered, errors, currency)}</div>
      ${unlistedCheck(listed === false)}
      <p class="field-note">Existing orders keep the flight, night and price they were made with.</p>
      <button class="button primary" type="submit" data-busy="Saving…"><span class="button-label">Save</span></button>
    </form>`;
}

function unlistedCheck(isChecked: boolean): Html {
  return markup`
    <label class="check"><input type="checkbox" name="unlisted"${isChecked ? markup` checked` : ''}>
      <span>Keep it out of the customers’ lists: only those who know its number can buy it</span></label>`;
}

function offerFields(entered: PackageFields, errors: Errors, currency: string): Html[] {
  const { flight, stay, price, opensAt, closesAt } = entered;
  const utc = 'In UTC. Leave empty for no limit.';
  return [
    field({ name: 'flight', label: 'Flight', value: flight, maxLength: 100, required: true }, errors),
    field({ name: 'stay', label: 'Night of the stay', value: stay, type: 'date', required: true }, errors),
    field(
      { name: 'price', label: `Price in ${currency}`, value: price, type: 'number', min: 0, required: true },
      errors,
    ),
    field(
      { name: 'opensAt', label: 'Sale opens', value: opensAt, type: 'datetime-local', note: utc },
      errors,
    ),
    field(
      { name: 'closesAt', label: 'Sale closes', value: closesAt, type: 'datetime-local', note: utc },
      errors,
    ),
  ];
}

/** A page of the packages that are on sale, or of the archived ones. */
export function packageListPage(
  group: 'current' | 'archived',
  found: StatusesPage & { readonly search: TripSearch },
  { rows, now }: { readonly rows: readonly Html[]; readonly now: number },
): AdminPageParts {
  const isArchived = group === 'archived';
  const title = isArchived ? 'Archived packages' : 'Packages';
  const words = isArchived ? { ...packageSearch, path: '/admin/packages/archived' } : packageSearch;
  return {
    title,
    isLive: true,
    livePackages: found.items.map((status) => status.package.id),
    main: markup`
      ${heading(title, liveChip(now, en))}
      ${isArchived ? markup`<p>Nobody can buy them. Their orders stay, and the audit reads them.</p>` : ''}
      ${isPaged(found) ? searchForm(words) : ''}
      ${searchFieldset(found, words)}
      ${packagesTable(rows, undefined, isSearch(found.search) ? 'No package matches.' : 'None.')}
      ${pageLinks(found, words)}`,
  };
}

export interface NewPackageState {
  readonly entered: PackageFields & {
    readonly id: string;
    readonly quota: string;
    readonly paused: boolean;
    readonly unlisted: boolean;
  };
  readonly errors?: Errors;
  readonly alert?: string;
}

export function newPackagePage({ currency }: RenderContext, state: NewPackageState): AdminPageParts {
  const { entered, errors = [], alert } = state;
  const { id, quota, paused, unlisted } = entered;
  return {
    title: 'New package',
    alert,
    main: markup`
      ${heading('New package')}
      <form class="card form form-wide" method="post" action="/admin/packages" data-changes>
        <div class="field-row">
          ${field({ name: 'id', label: 'Number', value: id, type: 'number', min: 1, required: true, note: 'The next free number. If somebody takes it first, you are told.' }, errors)}
          ${field({ name: 'quota', label: 'Quota', value: quota, type: 'number', min: 0, required: true }, errors)}
          ${offerFields(entered, errors, currency)}
        </div>
        <label class="check"><input type="checkbox" name="paused"${paused ? markup` checked` : ''}> <span>Create it paused, until I resume it</span></label>
        ${unlistedCheck(unlisted)}
        <button class="button primary" type="submit" data-busy="Creating…"><span class="button-label">Create package</span></button>
      </form>`,
  };
}
