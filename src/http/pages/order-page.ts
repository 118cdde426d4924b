import type { ErrorCode } from '../../domain/errors.ts';
import type { PackageSnapshot } from '../../domain/travel-package.ts';
import { defined } from '../../lib/defined.ts';
import type { EmailProblem } from '../email.ts';
import { packageIdFrom } from '../inputs.ts';
import { alertBox, icon } from './elements.ts';
import { firstSentence } from './format.ts';
import { packageFragment, type StayState, stayElementId, stayState } from './fragments/package.ts';
import { type LiveSource, liveChip, page, type RenderContext } from './layout.ts';
import { type Html, markup } from './markup.ts';
import type { Texts } from './texts/index.ts';
import {
  isPaged,
  pageLinks,
  searchFieldset,
  searchForm,
  searchInputs,
  searchPath,
  type TripSearch,
  type TripsPage,
} from './trip-search.ts';

/** The two order pages. `order` waits for the outcome. `order-queue` answers at once and shows the position live. */
export type OrderMode = 'order' | 'order-queue';

interface OrderPageState {
  readonly mode: OrderMode;
  readonly trips: TripsPage;
  /** The form's Idempotency-Key: sending the form twice buys once. */
  readonly key: string;
  /** The previous input, unchanged. */
  readonly email?: string;
  readonly chosen?: string;
  /** A note to show above the form. */
  readonly note?: Html;
  /** Why the last attempt failed. */
  readonly error?: OrderError;
}

export interface OrderError {
  readonly code: ErrorCode;
  /** The fields with wrong input. Default: none. */
  readonly fields?: { readonly packageId?: boolean; readonly email?: EmailProblem };
  /** Seconds until a retry can succeed, if known. */
  readonly retryAfterS?: number | undefined;
}

/** A card for each flight, a choice for each night, and a bar with the email, the chosen trip and the button. */
export function orderPage(context: RenderContext, state: OrderPageState): Html {
  const { now, texts } = context;
  const { mode, trips, key, error } = state;
  const { search, items: snapshots } = trips;
  const words = { path: `/${mode}`, texts: texts.search };
  return page(context, {
    title: error ? texts.order.titleWithError : texts.order.title,
    current: 'order',
    address: addressOf(state),
    ...defined({ live: liveSource(trips), refreshS: secondsToOpening(snapshots, now) }),
    main: markup`
      ${isPaged(trips) ? searchForm(words) : ''}
      <form id="order-form" class="order-form" method="post" action="/${mode}">
        <div class="order-head">
          <div class="heading">
            <h1>${texts.order.heading}</h1>
            ${liveChip(now, texts)}
          </div>
          ${modes(mode, search, texts.order)}
          ${searchFieldset(trips, words)}
          ${error === undefined ? '' : orderAlert(error, state, context)}
          ${state.note ?? ''}
          <p class="field-error trips-error" id="trips-error" hidden>${texts.order.chooseTrip}</p>
        </div>
        <input type="hidden" name="key" value="${key}" autocomplete="off">
        ${searchInputs(search)}
        <fieldset class="flights" id="trips" role="radiogroup" aria-required="true" tabindex="-1"
          aria-describedby="trips-error"${error?.fields?.packageId === true ? markup` aria-invalid="true"` : ''}>
          <legend class="unseen">${texts.order.trips}</legend>
          ${flightCards(context, state)}
          ${snapshots.length === 0 && isPaged(trips) ? markup`<p class="card search-none">${texts.order.noneFound}</p>` : ''}
        </fieldset>
        ${pageLinks(trips, words)}
        <div class="buy-bar">
          ${emailField(context, state.email ?? '', error?.fields)}
          ${choiceAndButton(context, state)}
        </div>
      </form>`,
  });
}

/** The address of this page with its search and the chosen package. */
function addressOf({ mode, trips: { search }, chosen = '' }: OrderPageState): string {
  const address = searchPath(`/${mode}`, search);
  if (packageIdFrom(chosen) === undefined) return address;
  return `${address}${address.includes('?') ? '&' : '?'}package=${chosen}`;
}

/** The live updates of the shown trips, and of no others. Of all trips if the page shows all. */
function liveSource(trips: TripsPage): LiveSource | undefined {
  const script = 'order.js';
  if (!isPaged(trips)) return { socket: '/live?topic=packages', poll: '/order/fragments', script };
  if (trips.items.length === 0) return undefined;
  const ids = trips.items.map((snapshot) => snapshot.package.id).join('.');
  return { socket: `/live?topic=packages:${ids}`, poll: `/order/fragments?ids=${ids}`, script };
}

/** Links between the two order pages. */
function modes(mode: OrderMode, search: TripSearch, texts: Texts['order']): Html {
  const tab = (of: OrderMode, label: string, words: string) => markup`
    <a href="${searchPath(`/${of}`, search)}"${of === mode ? markup` aria-current="true"` : ''}><b class="modes-label">${label}</b> <span>${words}</span></a>`;
  return markup`
    <nav class="modes" aria-label="${texts.modes}">
      ${tab('order', texts.wait, texts.waitText)}
      ${tab('order-queue', texts.queue, texts.queueText)}
    </nav>
    <p class="modes-words">${texts.modesText}</p>`;
}

function orderAlert(error: OrderError, state: OrderPageState, { now, texts }: RenderContext): Html {
  const { code, fields = {}, retryAfterS } = error;
  const said = code === 'invalid' && fields.packageId ? texts.order.chooseTrip : texts.errors[code];
  const words =
    retryAfterS === undefined
      ? said
      : `${firstSentence(said)} ${texts.order.againIn(texts.formats.wait(retryAfterS))}`;
  const others = code === 'sold_out' ? otherStays(state, now, texts) : undefined;
  const focus = !(fields.email !== undefined && fields.packageId !== true);
  return alertBox(words, { focus, ...defined({ more: others }) });
}

/** The most other stays that an error message offers. */
const othersMax = 6;

/** Buttons for other stays. Each is a label of the stay's radio button, so choosing works without JavaScript. */
function otherStays({ trips, chosen }: OrderPageState, now: number, texts: Texts): Html | undefined {
  const others = trips.items
    .filter((snapshot) => String(snapshot.package.id) !== chosen && isOnOffer(stayState(snapshot, now)))
    .slice(0, othersMax);
  if (others.length === 0) return undefined;
  return markup`
    <p class="others-words">${texts.order.stillOnSale}</p>
    <p class="others">${others.map(
      ({ package: { id, flight, stay } }) =>
        markup`<label class="button quiet" for="package-${id}"><span><bdi>${flight}</bdi>, ${texts.formats.shortNight(stay)}</span></label> `,
    )}</p>`;
}

function flightCards(context: RenderContext, state: OrderPageState): Html[] {
  const { nights } = context.texts.order;
  const groups = Map.groupBy(state.trips.items, (snapshot) => snapshot.package.flight);
  return [...groups].map(
    ([flight, stays]) => markup`
    <section class="card flight">
      <h2 class="flight-icon">${icon('plane')}<span dir="auto">${flight}</span>
        ${stays.length === 1 ? '' : markup`<small>${nights(stays.length)}</small>`}</h2>
      <div class="stays">${stays.map((snapshot) => stayChip(context, state, snapshot))}</div>
    </section>`,
  );
}

/**
 * The choice of one stay. Its radio button is outside of the live fragment, so that no update can change the focus or
 * the choice.
 */
function stayChip(context: RenderContext, { chosen }: OrderPageState, snapshot: PackageSnapshot): Html {
  const { id, flight, stay } = snapshot.package;
  const { formats, order } = context.texts;
  const state = stayState(snapshot, context.now);
  const isOff = !isChoosable(state);
  const live = stayElementId(id);
  const night = formats.night(stay);
  return markup`
    <label class="chip" for="package-${id}">
      <input type="radio" name="packageId" id="package-${id}" value="${id}"
        aria-labelledby="night-${id}" aria-describedby="${live}-status ${live}-words"
        data-choice="${flight}, ${night}" data-flight="${flight}" data-night="${night}"${isChosen(snapshot, chosen, context.now) ? markup` checked` : ''}${isOff ? markup` disabled` : ''}>
      <span class="night" id="night-${id}"><span class="unseen">${order.nightOf(markup`<bdi>${flight}</bdi>`)}</span>${night}</span>
      ${packageFragment(snapshot, context)}
    </label>`;
}

function isChosen(snapshot: PackageSnapshot, chosen: string | undefined, now: number): boolean {
  return String(snapshot.package.id) === chosen && isChoosable(stayState(snapshot, now));
}

/** Whether the trip can be chosen. A trip can be chosen even before its sale opens. */
function isChoosable(state: StayState): boolean {
  return isOnOffer(state) || state === 'not_open';
}

function isOnOffer(state: StayState): boolean {
  return state === 'free' || state === 'line';
}

function emailField(
  { texts: { order: texts }, takesPayments = false, sendsMails = false }: RenderContext,
  email: string,
  errors: OrderError['fields'],
): Html {
  const problem = errors?.email;
  const isWrong = problem !== undefined;
  const autofocus = isWrong && errors?.packageId !== true ? markup` autofocus` : '';
  return markup`
    <div class="card field">
      <label for="email">${texts.email}</label>
      <input id="email" name="email" type="email" autocomplete="email" inputmode="email" maxlength="254" required
        spellcheck="false" autocapitalize="none" value="${email}" aria-describedby="email-note"${isWrong ? markup` aria-invalid="true"` : ''}${autofocus}>
      ${
        isWrong
          ? markup`<p class="field-error" id="email-note">${texts.emailProblems[problem]}</p>`
          : markup`<p class="field-note" id="email-note">${texts.emailNote({ takesPayments, sendsMails })}</p>`
      }
    </div>`;
}

/**
 * The chosen trip and the button. order.js fills in the trip. Without scripts the stylesheet shows only that a trip is
 * chosen.
 */
function choiceAndButton({ currency, now, texts }: RenderContext, { trips, chosen }: OrderPageState): Html {
  const { formats, order } = texts;
  const { items: snapshots } = trips;
  const choice = snapshots.find((snapshot) => isChosen(snapshot, chosen, now))?.package;
  const states = snapshots.map((snapshot) => stayState(snapshot, now));
  const label = states.length === 0 && isPaged(trips) ? order.buttons.order : buttonLabel(states, order);
  const disabled = states.some(isOnOffer) ? '' : markup` disabled`;
  return markup`
    <div class="buy-inner">
      <div class="choice">
        <p class="choice-none">${order.noChoice}</p>
        <p class="choice-marked">${order.choiceMarked}</p>
        <p class="choice-made"><span class="choice-flight" dir="auto">${choice?.flight}</span>
          <span class="choice-night">${choice && formats.night(choice.stay)}</span>
          <b class="choice-price">${choice && formats.price(choice.price, currency)}</b></p>
      </div>
      <button id="buy" class="button primary buy" type="submit" data-busy="${order.placingOrder}"${disabled}>
        <span class="button-label">${label}</span></button>
    </div>`;
}

function buttonLabel(states: readonly StayState[], { buttons, notOpen }: Texts['order']): string {
  if (states.some(isOnOffer)) return buttons.order;
  if (states.includes('not_open')) return notOpen;
  if (states.includes('paused')) return buttons.paused;
  return states.includes('sold_out') ? buttons.soldOut : buttons.closed;
}

/** When a page without JavaScript should reload: at the next opening of a sale, if nothing can be ordered now. */
function secondsToOpening(snapshots: readonly PackageSnapshot[], now: number): number | undefined {
  const states = snapshots.map((snapshot) => stayState(snapshot, now));
  if (states.some(isOnOffer)) return undefined;
  const openings = snapshots.flatMap(({ package: { opensAt = 0 } }) => (opensAt > now ? [opensAt] : []));
  if (openings.length === 0) return undefined;
  return Math.max(1, Math.min(600, Math.ceil((Math.min(...openings) - now) / 1000)));
}
