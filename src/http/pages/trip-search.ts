import type { PackagesPage } from '../../engine/engine.ts';
import { defined } from '../../lib/defined.ts';
import { shownMax } from '../inputs.ts';
import { type Html, markup } from './markup.ts';
import type { SearchTexts } from './texts/search-texts.ts';

/** What a customer searches for, from the query of a list page. */
export interface TripSearch {
  /** A part of the flight's name. */
  readonly flight?: string;
  /** The night, as an ISO date. */
  readonly night?: string;
  /** The page, from 1. Absent: the page with the chosen trip, or the first. */
  readonly page?: number;
}

/** The trips that a page shows. */
export interface TripsPage extends PackagesPage {
  readonly search: TripSearch;
}

/** Reads a search from a query or from the hidden fields of a form. Values that make no sense are left out. */
export function tripSearchOf({
  flight = '',
  night = '',
  page = '',
}: Readonly<Record<string, string>>): TripSearch {
  return defined({
    flight: flight.trim().slice(0, 100) || undefined,
    night: /^\d{4}-\d\d-\d\d$/.test(night) ? night : undefined,
    page: /^[1-9]\d{0,7}$/.test(page) ? Number(page) : undefined,
  });
}

export function isSearch({ flight, night }: TripSearch): boolean {
  return flight !== undefined || night !== undefined;
}

/** A path with the search as its query. */
export function searchPath(path: string, search: TripSearch): string {
  const query = new URLSearchParams(searchFields(search)).toString();
  return query === '' ? path : `${path}?${query}`;
}

/** Hidden fields, so that a form that is shown again shows the same page of trips. */
export function searchInputs(search: TripSearch): Html[] {
  return searchFields(search).map(
    ([name, value]) => markup`<input type="hidden" name="${name}" value="${value}">`,
  );
}

function searchFields(search: TripSearch): [string, string][] {
  return Object.entries(search).map(([name, value]) => [name, String(value)]);
}

/** The path and the words of a list page. */
interface ListPage {
  /** The path of the list page. */
  readonly path: string;
  readonly texts: SearchTexts;
}

/** Whether there is more than one page, or a search. Otherwise the page needs neither a search nor page links. */
export function isPaged({ search, total }: Pick<TripsPage, 'search' | 'total'>): boolean {
  return isSearch(search) || total > shownMax;
}

type ShownPage = Pick<TripsPage, 'search' | 'index' | 'total'> & { readonly items: readonly unknown[] };

/**
 * The fields of the search and the number of results. The fields belong to {@link searchForm}, which is outside of the
 * form around them.
 */
export function searchFieldset(page: ShownPage, { path, texts }: ListPage): Html | string {
  if (!isPaged(page)) return '';
  const { flight = '', night = '' } = page.search;
  const clear = isSearch(page.search) ? markup` <a class="search-clear" href="${path}">${texts.all}</a>` : '';
  return markup`
    <div class="search" role="search" aria-label="${texts.label}">
      <div class="search-fields">
        <label class="search-field search-flight">${texts.flight}
          <input class="search-input" form="trip-search" name="flight" type="search" value="${flight}" maxlength="100" autocomplete="off"
            spellcheck="false" enterkeyhint="search"></label>
        <label class="search-field">${texts.night}
          <input class="search-input" form="trip-search" name="night" type="date" value="${night}"></label>
        <button class="button quiet search-go" form="trip-search" type="submit">${texts.submit}</button>
      </div>
      <p class="search-found">${foundWords(page, texts)}${clear}</p>
    </div>`;
}

/** The form of the search, which works without JavaScript. */
export function searchForm({ path }: Pick<ListPage, 'path'>): Html {
  return markup`<form id="trip-search" method="get" action="${path}" hidden></form>`;
}

function foundWords({ search, index, total, items }: ShownPage, texts: SearchTexts): string {
  if (total === 0) return texts.none;
  const found = isSearch(search) ? texts.found(total) : texts.total(total);
  return total <= shownMax ? found : texts.range(index + 1, index + items.length, found);
}

/** Links to the pages before and after. */
export function pageLinks({ search, index, total }: ShownPage, { path, texts }: ListPage): Html | string {
  const last = Math.ceil(total / shownMax);
  if (last <= 1) return '';
  const page = Math.floor(index / shownMax) + 1;
  const link = (to: number, label: string, rel: string) =>
    to < 1 || to > last
      ? markup`<span class="page-link page-none" aria-hidden="true">${label}</span>`
      : markup`<a class="page-link" rel="${rel}" href="${searchPath(path, { ...search, page: to })}">${label}</a>`;
  return markup`
    <nav class="pages" aria-label="${texts.pages}">
      ${link(page - 1, texts.previous, 'prev')}
      <span class="page-now">${texts.page(page, last)}</span>
      ${link(page + 1, texts.next, 'next')}
    </nav>`;
}
