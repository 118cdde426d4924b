/** Crockford's base32: no I, L, O or U (https://www.crockford.com/base32.html). */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const length = 16;

/** How many random bytes an order id is made of: 80 bits, so that nobody guesses one (rule Q10). */
export const orderIdBytes = 10;

/**
 * An order id from 80 random bits, in its canonical form: `7Q4M-9XKD-2VBN-H5TR`.
 * @throws RangeError unless there are exactly ten bytes.
 */
export function orderIdFrom(bytes: Uint8Array): string {
  if (bytes.length !== orderIdBytes) throw new RangeError(`an order id takes ${orderIdBytes} bytes`);
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet[(value >> bits) & 31];
      value &= (1 << bits) - 1;
    }
  }
  return grouped(text);
}

/**
 * Reads an order id as people paste it: without regard to case, dashes, blanks or a `#` in front, and with
 * Crockford's look-alikes (O for 0, I and L for 1). Returns the canonical form, or undefined.
 */
export function parseOrderId(text: string): string | undefined {
  if (text.length > 100) return undefined;
  const plain = text
    .toUpperCase()
    .replace(/[\s\p{Pd}#.,;:'"<>()[\]\u200b\u2060\ufeff]/gu, '')
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1');
  return new RegExp(`^[${alphabet}]{${length}}$`).test(plain) ? grouped(plain) : undefined;
}

function grouped(text: string): string {
  return `${text.slice(0, 4)}-${text.slice(4, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}`;
}
