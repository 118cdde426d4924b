/**
 * Draws a rank from 0 to `size - 1` with a probability proportional to 1 / (k + 1)^exponent, by inversion of the
 * cumulative distribution. Exponent 0 is uniform.
 */
export function zipf(size: number, exponent: number, random: () => number = Math.random): () => number {
  if (size === 1) return () => 0;
  if (exponent === 0) return () => Math.floor(random() * size);
  const cumulated = new Float64Array(size);
  let sum = 0;
  for (let place = 0; place < size; place++) {
    sum += (place + 1) ** -exponent;
    cumulated[place] = sum;
  }
  return () => firstAbove(cumulated, random() * sum);
}

/** Binary search; the last index if no value is greater. */
function firstAbove(rising: Float64Array, value: number): number {
  let low = 0;
  let high = rising.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rising[middle] as number) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
