/** Finds how many units of a package are free in a live message. Undefined where the message says nothing of it. */
export type FreeUnits = (bytes: Buffer, start: number, end: number) => number | undefined;

/**
 * Thousands of viewers are sent the same bytes: what is the same as before is not searched again. It reads the
 * words under a stay's bar (`99,995 free`), as they are shown on the page.
 */
export function freeUnitsOf(packageId: number): FreeUnits {
  const words = new RegExp(`id="stay-${packageId}-words">.*?>([\\d,]+) free<`, 's');
  let before = Buffer.alloc(0);
  let found: number | undefined;
  return (bytes, start, end) => {
    if (end - start === before.length && bytes.compare(before, 0, before.length, start, end) === 0)
      return found;
    before = Buffer.from(bytes.subarray(start, end));
    const [, figure] = words.exec(before.toString()) ?? [];
    found = figure === undefined ? undefined : Number(figure.replaceAll(',', ''));
    return found;
  };
}
