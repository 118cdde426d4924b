import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { followMode, inks } from './palette.ts';
import { type Frame, plotSpec, type Timeline } from './plot.ts';

const wide: Frame = { width: 1_000, isNarrow: false };
const narrow: Frame = { width: 300, isNarrow: true };

/** As SVG, for a wide and for a narrow page, in the page's own colours. */
export async function draw(timeline: Timeline, alt: string): Promise<{ wide: string; narrow: string }> {
  return {
    wide: await drawOne(plotSpec(timeline, wide), wide, alt),
    narrow: await drawOne(plotSpec(timeline, narrow), narrow, alt),
  };
}

async function drawOne(plot: TopLevelSpec, frame: Frame, alt: string): Promise<string> {
  const { spec } = compile({ ...plot, ...look(frame) } as TopLevelSpec);
  const view = new vega.View(vega.parse(spec), { renderer: 'none' });
  try {
    return followMode(tidy(await view.toSVG(), alt));
  } finally {
    view.finalize();
  }
}

/** One picture with one text for a screen reader, that scales with its column. */
function tidy(svg: string, alt: string): string {
  const text = alt.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
  return svg
    .replace(
      /^<svg[^>]*?(width="[^"]*") (height="[^"]*") (viewBox="[^"]*")>/,
      (_, width, height, box) => `<svg ${width} ${height} ${box} role="img" aria-label="${text}">`,
    )
    .replaceAll(/<path class="(?:background|foreground)"[^>]*? d="(?:M0,0h0v0h0Z)?"[^>]*?\/>/g, '')
    .replaceAll(/(?<=\d\.\d)\d{2,}/g, '')
    .replaceAll(
      / (?:role|aria-[a-z]+|pointer-events)="(?:graphics-[^"]*|true|none|group mark container)"/g,
      '',
    );
}

const font = 'system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif';

function look({ isNarrow }: Frame): object {
  const size = isNarrow ? 11 : 12;
  return {
    padding: { left: 2, right: 14, top: 2, bottom: 2 },
    background: null,
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
        titlePadding: 6,
        tickSize: 4,
      },
      title: { color: inks.ink.light, fontWeight: 600, font },
      text: { fontSize: size, font },
    },
  };
}
