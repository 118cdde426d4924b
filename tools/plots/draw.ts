import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { type Colours, followMode, inks, type Style } from './palette.ts';

/** A plot that can be drawn at any width. */
export interface Plot {
  readonly title: string;
  /** The text for screen readers: what the plot shows, with its numbers. */
  readonly alt: string;
  /** One or two sentences on how to read it. */
  readonly hint: string;
  /** Lists of entries, by their accessible names; empty when the plot has labels of its own. */
  readonly legends: Readonly<Record<string, readonly LegendEntry[]>>;
  readonly spec: (frame: Frame) => TopLevelSpec;
}

/** A line with its style, or an area with the name of its colour in the page's `Colours`. */
export type LegendEntry =
  | { readonly label: string; readonly style: Style }
  | { readonly label: string; readonly colour: string };

export interface Frame {
  /** Of the whole plot in pixels, its labels included. */
  readonly width: number;
  readonly isNarrow: boolean;
  /** Whether the plot is a file of its own: it then contains its title and legend. */
  readonly isAlone: boolean;
}

const wide: Frame = { width: 510, isNarrow: false, isAlone: false };
const narrow: Frame = { width: 344, isNarrow: true, isAlone: false };
const alone: Frame = { width: 760, isNarrow: false, isAlone: true };

/** One line needs no legend: the title names it. */
export function legendsFor(series: readonly LegendEntry[]): Plot['legends'] {
  return series.length > 1 ? { Legend: series } : {};
}

/** Draws the plot as SVG for a wide and for a narrow page, with the page's CSS variables as colours. */
export async function drawInline(plot: Plot, colours: Colours): Promise<{ wide: string; narrow: string }> {
  const [wideSvg, narrowSvg] = await Promise.all([draw(plot, wide), draw(plot, narrow)]);
  return { wide: followMode(wideSvg, colours), narrow: followMode(narrowSvg, colours) };
}

/** Draws the plot as an SVG file on white. */
export function drawAlone(plot: Plot): Promise<string> {
  return draw(plot, alone);
}

async function draw(plot: Plot, frame: Frame): Promise<string> {
  const views = plot.spec(frame);
  // Vega-Lite cannot fit several views into one width: each of them sets its own.
  const size =
    'vconcat' in views ? {} : { width: frame.width, autosize: { type: 'fit', contains: 'padding' } };
  const { spec } = compile({ ...look(frame), ...size, ...views } as TopLevelSpec);
  measureAsFontsDo();
  const view = new vega.View(vega.parse(spec), { renderer: 'none' });
  try {
    return tidy(await view.toSVG(), plot.alt, frame);
  } finally {
    view.finalize();
  }
}

/** Without a browser Vega assumes 0.8 em per letter, which leaves too little room for the plot itself. */
function measureAsFontsDo(): void {
  const { textMetrics } = vega as unknown as { textMetrics: { width: typeof textWidth } };
  textMetrics.width = textWidth;
}

function textWidth(
  { text, fontSize = 11 }: { text?: unknown; fontSize?: number },
  line: unknown = text,
): number {
  return String(line ?? '').length * fontSize * 0.56;
}

/** Makes the SVG one image with one accessible name, and shortens it: no empty paths, one decimal in coordinates. */
function tidy(svg: string, alt: string, { isAlone }: Frame): string {
  const namespace = isAlone ? ' xmlns="http://www.w3.org/2000/svg"' : '';
  return svg
    .replace(/^<svg[^>]*?(width="[^"]*") (height="[^"]*") (viewBox="[^"]*")>/, (_, width, height, box) => {
      return `<svg${namespace} ${width} ${height} ${box} role="img" aria-label="${escapeAttribute(alt)}">`;
    })
    .replaceAll(/<path class="(?:background|foreground)"[^>]*? d="(?:M0,0h0v0h0Z)?"[^>]*?\/>/g, '')
    .replaceAll(
      / (?:role|aria-[a-z]+|pointer-events)="(?:graphics-[^"]*|true|none|group mark container)"/g,
      '',
    )
    .replaceAll(/ (?:d|transform)="[^"]*"/g, (attribute) => attribute.replaceAll(/(?<=\d\.\d)\d+/g, ''));
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}

const font = 'system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif';

function look({ isNarrow, isAlone }: Frame) {
  const size = isNarrow ? 11 : 12;
  return {
    padding: isAlone ? 16 : { left: 2, right: 6, top: 4, bottom: 2 },
    background: isAlone ? '#ffffff' : null,
    config: {
      aria: false,
      font,
      view: { stroke: null },
      axis: {
        labelFontSize: size,
        titleFontSize: size,
        titleFontWeight: 'normal',
        labelColor: inks.soft.light,
        titleColor: inks.soft.light,
        gridColor: inks.grid.light,
        domainColor: inks.axis.light,
        tickColor: inks.axis.light,
        labelFont: font,
        titleFont: font,
        labelPadding: 5,
        titlePadding: 8,
        tickSize: 4,
      },
      title: {
        font,
        anchor: 'start',
        frame: 'bounds',
        color: inks.ink.light,
        fontSize: 15,
        fontWeight: 600,
        subtitleColor: inks.soft.light,
        subtitleFontSize: size,
        subtitlePadding: 5,
        offset: 12,
      },
      legend: {
        orient: 'top',
        direction: 'horizontal',
        labelFontSize: size,
        labelColor: inks.ink.light,
        symbolSize: 70,
        symbolStrokeWidth: 2,
        labelLimit: 400,
        columnPadding: 4,
        offset: 6,
      },
      text: { fontSize: size, font, color: inks.ink.light },
    },
  };
}
