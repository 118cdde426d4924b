import { html, raw } from 'hono/html';
import { drawInline, type LegendEntry, type Plot } from './draw.ts';
import type { Html } from './page.ts';
import type { Colours, Style } from './palette.ts';

/** A plot with its title, its legends and a hint on how to read it. */
export async function figure(plot: Plot, colours: Colours): Promise<Html> {
  const { wide, narrow } = await drawInline(plot, colours);
  return html`<figure>
<figcaption><h4>${plot.title}</h4></figcaption>
${Object.entries(plot.legends).map(([name, entries]) => legend(name, entries))}
<div class="wide">${raw(wide)}</div>
<div class="narrow">${raw(narrow)}</div>
<p class="hint">${plot.hint}</p>
</figure>`;
}

function legend(name: string, entries: readonly LegendEntry[]): Html {
  return html`<ul class="legend" aria-label="${name}">
${entries.map((entry) => html`<li>${'style' in entry ? lineSwatch(entry.style) : areaSwatch(entry.colour)} ${entry.label}</li>`)}
</ul>`;
}

/** A piece of the line with its mark. */
function lineSwatch({ name, dash, shape }: Style): Html {
  const dashes = dash.join(' ');
  return html`<svg class="swatch" width="28" height="12" viewBox="0 0 28 12" aria-hidden="true"><path d="M0 6h28" fill="none" stroke="var(--${name})" stroke-width="2.25" stroke-dasharray="${dash[1] === 0 ? 'none' : dashes}"/><path d="${marks[shape]}" fill="var(--${name})"/></svg>`;
}

function areaSwatch(colour: string): Html {
  return html`<svg class="swatch" width="12" height="12" viewBox="0 0 12 12" aria-hidden="true"><rect width="12" height="12" rx="2" fill="var(--${colour})"/></svg>`;
}

const marks = {
  circle: 'M14 2a4 4 0 1 1 0 8a4 4 0 1 1 0-8',
  square: 'M10.5 2.5h7v7h-7z',
  diamond: 'M14 1l4 5-4 5-4-5z',
  'triangle-up': 'M14 1.5l4.5 8h-9z',
  'triangle-down': 'M14 10.5l-4.5-8h9z',
  cross: 'M12.5 1.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z',
} as const;
