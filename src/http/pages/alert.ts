import { icon } from './icons.ts';
import { type Html, markup } from './markup.ts';

/** What went wrong, in words. It takes the focus when the page is shown, unless a field does. */
export function alertBox(words: string, options: { readonly focus: boolean; readonly more?: Html }): Html {
  const autofocus = options.focus ? markup` autofocus` : '';
  return markup`
    <div class="alert" role="alert" id="alert" tabindex="-1"${autofocus}>
      ${icon('alert')}<div><p>${words}</p>${options.more ?? ''}</div>
    </div>`;
}
