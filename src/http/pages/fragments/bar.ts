import { type Html, markup } from '../markup.ts';

export interface BarParts {
  readonly sold: number;
  readonly held: number;
  readonly free: number;
}

/** Up to so many units are drawn one by one. */
const tickedUnitsMax = 20;

/**
 * The three-part bar. The words beside it say the same, so that it is hidden from screen readers and its colours
 * carry nothing alone. Widths are attributes, because a strict CSP allows no inline styles.
 */
export function bar({ sold, held, free }: BarParts): Html {
  const quota = Math.max(1, sold + held + free);
  const percent = (units: number) => `${Math.round((units / quota) * 10_000) / 100}%`;
  const ticks =
    quota > tickedUnitsMax
      ? []
      : Array.from({ length: quota - 1 }, (_, unit) => percent(unit + 1)).map(
          (x) => markup`<line class="bar-tick" x1="${x}" x2="${x}" y1="0" y2="100%"/>`,
        );
  return markup`
    <svg class="bar" aria-hidden="true" focusable="false">
      <rect class="bar-sold" x="0" width="${percent(sold)}" height="100%"/>
      <rect class="bar-held" x="${percent(sold)}" width="${percent(held)}" height="100%"/>
      <line class="bar-stripes" x1="${percent(sold)}" x2="${percent(sold + held)}" y1="50%" y2="50%"/>
      <rect class="bar-free" x="${percent(sold + held)}" width="${percent(free)}" height="100%"/>
      ${ticks}
    </svg>`;
}
