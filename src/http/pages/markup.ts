import { html } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';

/** A finished piece of a page: whatever was put into it is escaped. `String(piece)` is its text. */
export type Html = HtmlEscapedString;

/**
 * `html` of hono, for pieces without promises, with the line breaks between tags left out: the morph of htmx would
 * insert them, and thousands of viewers need not receive them.
 * @throws TypeError when a value is a promise.
 */
export function markup(strings: TemplateStringsArray, ...values: unknown[]): Html {
  const result = html(compact(strings), ...values);
  if (result instanceof Promise) throw new TypeError('a piece of a page cannot wait for a promise');
  return result;
}

const compacted = new WeakMap<TemplateStringsArray, TemplateStringsArray>();

/** A template's strings are the same array at every call, so each is worked on once. */
function compact(strings: TemplateStringsArray): TemplateStringsArray {
  let known = compacted.get(strings);
  if (known === undefined) {
    known = Object.assign(strings.map(withoutLineBreaks), { raw: strings.raw });
    compacted.set(strings, known);
  }
  return known;
}

function withoutLineBreaks(text: string): string {
  return text.replace(/\s*\n\s*/g, (run, offset: number) => {
    const before = text[offset - 1] ?? '>';
    const after = text[offset + run.length] ?? '<';
    return before === '>' && after === '<' ? '' : ' ';
  });
}
