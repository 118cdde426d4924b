/**
 * Parses a whole number from decimal digits. Returns undefined for any other text, and for a number out of the range.
 */
export function wholeNumber(text: string, min = 0, max = Number.MAX_SAFE_INTEGER): number | undefined {
  return /^\d+$/.test(text) ? inRange(Number(text), min, max) : undefined;
}

/** Like {@link wholeNumber}, for a number that may have decimals, such as `0.25`. Signs and exponents are refused. */
export function decimalNumber(text: string, min = 0, max = Number.MAX_SAFE_INTEGER): number | undefined {
  return /^\d+(\.\d+)?$/.test(text) ? inRange(Number(text), min, max) : undefined;
}

function inRange(number: number, min: number, max: number): number | undefined {
  return number >= min && number <= max ? number : undefined;
}
