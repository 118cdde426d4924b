import { type Html, markup } from '../../../http/pages/markup.ts';

/** The drawing's own measures; it is stretched to its place by the stylesheet. */
const width = 120;
const height = 24;
/** Room for the line's own thickness. */
const margin = 2;

/**
 * A row of figures as a line over a filled ground, oldest on the left, from zero to its own highest. The words
 * beside it say what it shows, so that it is hidden from screen readers. Only presentation attributes, because a
 * strict CSP allows no inline styles.
 */
export function sparkline(values: readonly number[]): Html {
  const highest = Math.max(0, ...values);
  if (highest === 0) {
    const y = height - margin;
    return svg(markup`<line class="spark-rest" x1="0" x2="${width}" y1="${y}" y2="${y}"/>`);
  }
  const step = width / Math.max(1, values.length - 1);
  const points = values.map((value, index) => {
    const y = height - margin - (value / highest) * (height - 2 * margin);
    return `${rounded(index * step)},${rounded(y)}`;
  });
  return svg(markup`
    <polygon class="spark-fill" points="0,${height} ${points.join(' ')} ${width},${height}"/>
    <polyline class="spark-line" points="${points.join(' ')}"/>`);
}

function svg(content: Html): Html {
  return markup`
    <svg class="spark" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" aria-hidden="true" focusable="false">${content}</svg>`;
}

function rounded(figure: number): number {
  return Math.round(figure * 10) / 10;
}
