import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { followMode, inks, type Style } from './palette.ts';

/** A plot that can be drawn at any width. */
export interface Plot {
  /** What it shows. */
  readonly title: string;
  /** The same in words, figures included, for who does not see it. */
  readonly alt: string;
  /** How to read it, in a sentence. */
  readonly hint: string;
  /** What tells its lines apart; empty where the plot itself says it. */
  readonly legend: readonly LegendEntry[];
  readonly spec: (frame: Frame) => TopLevelSpec;
}

export interface LegendEntry {
  readonly label: string;
  readonly style: Style;
}

export interface Frame {
  readonly width: number;
  readonly isNarrow: boolean;
  /** Whether the plot stands without a page around it, and so carries its own title and legend. */
  readonly isAlone: boolean;
}

const wide: Frame = { width: 510, isNarrow: false, isAlone: false };
const narrow: Frame = { width: 344, isNarrow: true, isAlone: false };
const alone: Frame = { width: 760, isNarrow: false, isAlone: true };

/** Twice, for a wide and for a narrow page, in the page's own colours. */
export async function drawInline(plot: Plot): Promise<{ wide: string; narrow: string }> {
  const [wideSvg, narrowSvg] = await Promise.all([draw(plot, wide), draw(plot, narrow)]);
  return { wide: followMode(wideSvg), narrow: followMode(narrowSvg) };
}

/** A picture of its own, on white. */
export function drawAlone(plot: Plot): Promise<string> {
  return draw(plot, alone);
}

async function draw(plot: Plot, frame: Frame): Promise<string> {
  const { spec } = compile({ ...plot.spec(frame), ...look(frame) } as TopLevelSpec);
  measureAsFontsDo();
  const view = new vega.View(vega.parse(spec), { renderer: 'none' });
  try {
    return tidy(await view.toSVG(), plot.alt, frame);
  } finally {
    view.finalize();
  }
}

/** Vega has no font to measure with here, and takes 0.8 em for a letter, which leaves plots too little room. */
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

/** One picture with one text for a screen reader, that scales with its column. */
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
    );
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}

const font = 'system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif';

function look({ width, isNarrow, isAlone }: Frame) {
  const size = isNarrow ? 11 : 12;
  return {
    width,
    autosize: { type: 'fit', contains: 'padding' },
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
        labelLimit: 320,
        columnPadding: 4,
        offset: 6,
      },
      text: { fontSize: size, color: inks.ink.light },
    },
  };
}
