/** Finds the number of free units of a package in a live message; undefined if the message does not contain it. */
export type FindFreeUnits = (bytes: Buffer, start: number, end: number) => number | undefined;

/**
 * Thousands of viewers receive the same bytes, so a message that equals the last one is not searched again. It reads
 * the text above a package's bar on the page (`99,995 places left`).
 */
export function freeUnitsOf(packageId: number): FindFreeUnits {
  const words = new RegExp(`id="stay-${packageId}-status"[^>]*>([\\d,]+) places? left<`);
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
