import { html } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';

/** HTML in which all inserted values are escaped. `String(html)` is its text. */
export type Html = HtmlEscapedString;

/**
 * Hono's `html` without the line breaks between tags: htmx's morph would insert these line breaks as nodes, and each
 * line break would be sent to thousands of viewers.
 * @throws TypeError when a value is a promise.
 */
export function markup(strings: TemplateStringsArray, ...values: unknown[]): Html {
  const result = html(compact(strings), ...values);
  if (result instanceof Promise) throw new TypeError('a piece of a page cannot wait for a promise');
  return result;
}

const compacted = new WeakMap<TemplateStringsArray, TemplateStringsArray>();

/**
 * Processes each template only once. A template is recognized by its array of strings, which is the same array at every
 * call.
 */
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
