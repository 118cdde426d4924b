/**
 * The live parts of the pages: pure functions from plain data to HTML, used by the pages, by polling and by the
 * socket alike. They carry no `hx-*` attributes.
 *
 * What goes over the socket (read by htmx 4's hx-ws extension), as text messages of two kinds:
 *
 * 1. HTML: one or more fragments, each wrapped so that it replaces its twin in place. No whitespace between the
 *    wrapper and the fragment: the morph would insert it as a sibling.
 *    `<hx-partial hx-target="#stay-1" hx-swap="outerMorph">…packageFragment…</hx-partial>` and
 *    `<hx-partial hx-target="#order-live" hx-swap="outerMorph">…orderFragment…</hx-partial>`.
 *    Several partials may be concatenated into one message. A target that is not on the page is skipped.
 * 2. JSON `{"now": 1700000000000}`: the server's clock in ms. Sent once when a socket opens, before the present
 *    state, and again whenever nothing was sent for 4 s: the page takes a socket that was silent for 9 s as dead.
 *
 * After opening, the server sends the present state of everything in the topic at once.
 * A fragment is a `HtmlEscapedString`: `String(fragment)` is its text.
 *
 * Ids: `stay-<package id>` and `order-live`, see {@link stayElementId} and {@link orderElementId}.
 */

export { hasOutcome, offersAgain, orderElementId, orderFragment, tabTitle } from './order.ts';
export type { LiveOrderState } from './order-text.ts';
export {
  offerOf,
  packageFragment,
  type StayState,
  type StayView,
  stayElementId,
  stayState,
  type TripOffer,
} from './package.ts';
