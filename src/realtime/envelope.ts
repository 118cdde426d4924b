import { textFrame } from './frame.ts';

/** A piece of a page and the id of its root element. */
export interface Fragment {
  readonly rootId: string;
  readonly html: string;
}

/**
 * The frame of the text message that makes htmx's hx-ws replace each fragment's twin in place. A twin that is not on the page
 * is skipped. No white space between wrapper and fragment: the morph would insert it as a sibling.
 */
export function envelope(fragments: Iterable<Fragment>): Buffer {
  let text = '';
  for (const { rootId, html } of fragments) {
    text += `<hx-partial hx-target="#${rootId}" hx-swap="outerMorph">${html.trim()}</hx-partial>`;
  }
  return textFrame(text);
}

/** The server's clock: opens every connection, and breaks every long silence, so that a page notices a dead socket. */
export function clockMessage(now: number): Buffer {
  return textFrame(JSON.stringify({ now }));
}
