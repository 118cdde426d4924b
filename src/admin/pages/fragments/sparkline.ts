import { type Html, markup } from '../../../http/pages/markup.ts';

/** The size of the drawing. The stylesheet stretches it. */
const width = 120;
const height = 24;
/** Space for the thickness of the line. */
const margin = 2;

/**
 * A line chart of numbers, oldest on the left, from zero to the highest. Screen readers skip it, because the text beside
 * it says the same. It uses presentation attributes only, because the CSP allows no inline styles.
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

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
