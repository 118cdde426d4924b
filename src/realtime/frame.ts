/**
 * The messages of a live socket, which htmx 4's hx-ws extension reads. They are text messages of two kinds:
 *
 * 1. HTML: one or more fragments, each wrapped so that it replaces the element with its id, for example
 *    `<hx-partial hx-target="#stay-1" hx-swap="outerMorph">…</hx-partial>`. htmx skips an id that is not on the page.
 * 2. JSON `{"now": 1700000000000}`: the server's clock as Unix time in ms. This message opens every connection, and is
 *    sent again when nothing else was sent for 4 s. A page treats a socket as dead when it was silent for 9 s.
 */

/** A part of a page, and the id of its root element. The part contains no `hx-*` attributes. */
export interface Fragment {
  readonly rootId: string;
  readonly html: string;
}

/** A message with fragments. White space around a fragment is removed, because htmx would insert it as a node. */
export function fragmentsFrame(fragments: Iterable<Fragment>): Buffer {
  let text = '';
  for (const { rootId, html } of fragments) {
    text += `<hx-partial hx-target="#${rootId}" hx-swap="outerMorph">${html.trim()}</hx-partial>`;
  }
  return textFrame(text);
}

/** A message with the server's clock. */
export function clockFrame(now: number): Buffer {
  return textFrame(JSON.stringify({ now }));
}

/**
 * Returns a text as one unmasked, final WebSocket frame (RFC 6455, section 5.2). The same frame is sent to many
 * sockets, which is cheaper than letting the WebSocket library make a frame for each.
 */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const header = headerOf(length);
  const frame = Buffer.allocUnsafe(header.length + length);
  frame.set(header);
  frame.write(text, header.length);
  return frame;
}

const finalText = 0x81;

function headerOf(length: number): Buffer {
  if (length < 126) return Buffer.from([finalText, length]);
  if (length < 65_536) return Buffer.from([finalText, 126, length >> 8, length & 0xff]);
  const header = Buffer.alloc(10);
  header.set([finalText, 127]);
  header.writeUIntBE(length, 4, 6);
  return header;
}
