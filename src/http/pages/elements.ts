import { type Html, markup } from './markup.ts';

export type IconName = 'plane' | 'bed' | 'check' | 'cross' | 'clock' | 'line' | 'back' | 'ticket' | 'alert';

/**
 * An icon on a 24 × 24 grid in the text's colour. The icon is hidden from screen readers, because the text beside it
 * has the same meaning.
 */
export function icon(name: IconName): Html {
  return markup`
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${strokes[name]()}</svg>`;
}

const strokes: Record<IconName, () => Html> = {
  plane: () =>
    markup`<path d="M12 3c.9 0 1.6 1.2 1.6 2.7V9l6.9 4.2V15l-6.9-1.8v4l2 1.6V20L12 19l-3.6 1v-1.2l2-1.6v-4L3.5 15v-1.8L10.4 9V5.7C10.4 4.2 11.1 3 12 3z"/>`,
  bed: () =>
    markup`<path d="M3 18v-3h18v3M3 15V6m18 9v-2a3 3 0 0 0-3-3h-7v5M7 12.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z"/>`,
  check: () => markup`<path d="m5 12.5 4.5 4.5L19 7.5"/>`,
  cross: () => markup`<path d="m6.5 6.5 11 11m0-11-11 11"/>`,
  clock: () => markup`<circle cx="12" cy="12" r="8.5"/><path d="M12 7.5V12l3 2"/>`,
  line: () =>
    markup`<circle cx="5" cy="12" r="2"/><circle cx="12" cy="12" r="2"/><circle cx="19" cy="12" r="2"/>`,
  back: () => markup`<path d="M9 14 4.5 9.5 9 5m-4 4.5h9a5 5 0 0 1 0 10h-3"/>`,
  ticket: () => markup`<path d="M4 8V6h16v4a2 2 0 0 0 0 4v4H4v-4a2 2 0 0 0 0-4zm9-1v2m0 2v2m0 2v2"/>`,
  alert: () => markup`<path d="M12 8v5m0 3v.5M12 3.5 2.5 20h19z"/>`,
};

/** An error message. With `focus`, the message gets the focus when the page is shown. */
export function alertBox(words: string, options: { readonly focus: boolean; readonly more?: Html }): Html {
  const autofocus = options.focus ? markup` autofocus` : '';
  return markup`
    <div class="alert" role="alert" id="alert" tabindex="-1"${autofocus}>
      ${icon('alert')}<div><p>${words}</p>${options.more ?? ''}</div>
    </div>`;
}
