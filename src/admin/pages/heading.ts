import { type Html, markup } from '../../http/pages/markup.ts';

/** A page's title with what stands beside it. */
export function heading(title: Html | string, beside: Html | string = ''): Html {
  return markup`<div class="heading"><h1>${title}</h1>${beside}</div>`;
}
