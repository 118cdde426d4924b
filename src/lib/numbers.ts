/** The whole number that a text of decimal digits stands for; undefined for any other text, and out of the range. */
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
